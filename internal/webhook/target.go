package webhook

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/message"
)

// Target is where the messages to a registered endpoint go, and how.
type Target struct {
	URL    string
	Secret string
	// Retry, Timeout and Headers are as Message has them.
	Retry   string
	Timeout time.Duration
	Headers http.Header
	// Signature signs besides, or instead of, Efferent's own headers; nil is those alone.
	Signature *Signature

	target *url.URL // URL, parsed
}

// NewTarget checks and prepares a target. Its error is a *message.FieldError, which
// names the first field that is wrong as a message has it.
func NewTarget(rawURL, secret, retry, timeout string, headers map[string]string) (t Target, err error) {
	fail := func(field, problem string) (Target, error) {
		return Target{}, &message.FieldError{Field: field, Problem: problem}
	}
	t = Target{Secret: secret, Retry: retry}
	var problem string
	if t.URL, t.target, problem = parseURL(rawURL); problem != "" {
		return fail("url", problem)
	}
	if problem = checkSecret(secret); problem != "" {
		return fail("secret", problem)
	}
	if timeout != "" {
		if t.Timeout, problem = parseTimeout(timeout); problem != "" {
			return fail("timeout", problem)
		}
	}
	if t.Headers, problem = newHeaders(headers); problem != "" {
		return fail("headers", problem)
	}
	return t, nil
}

// newHeaders are headers by their canonical names; nil where there are none.
func newHeaders(given map[string]string) (headers http.Header, problem string) {
	if len(given) == 0 {
		return nil, ""
	}
	headers = http.Header{}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if problem := addHeader(headers, name, given[name]); problem != "" {
			return nil, problem
		}
	}
	return headers, ""
}

// To is the message as it goes to a target. What the message says itself goes
// before what its target does.
func (m Message) To(t Target) Message {
	m.URL, m.Secret, m.Signature, m.target = t.URL, t.Secret, t.Signature, t.target
	if m.Retry == "" {
		m.Retry = t.Retry
	}
	if m.Timeout == 0 {
		m.Timeout = t.Timeout
	}
	switch {
	case len(m.Headers) == 0:
		m.Headers = t.Headers
	case len(t.Headers) > 0:
		own := m.Headers
		m.Headers = maps.Clone(t.Headers)
		maps.Copy(m.Headers, own)
	}
	return m
}
