package endpoint

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/webhook"
)

// What an endpoint may have.
const (
	maxPatterns    = 100
	maxHeaders     = 30
	maxLabels      = 50
	maxDescription = 1024
	maxLabel       = 256
	minRate        = 1.0 / 3600
	// MaxRate is the most that RatePerSecond may be.
	MaxRate = 10_000
)

// Ready is an endpoint as messages are matched with it and sent to it.
type Ready struct {
	Endpoint
	Target webhook.Target
	filter Filter
}

// Check makes an endpoint ready, if all of it can be meant. Its error is a
// *message.FieldError, which names the first field that is wrong. Whether there is
// such a retry policy, or such a secret, is not asked.
func (e Endpoint) Check() (*Ready, error) {
	t, err := webhook.NewTarget(e.URL, e.Secret, e.Retry, e.Timeout, e.Headers)
	if err != nil {
		return nil, err
	}
	for _, check := range []func() (string, string){e.checkTypes, e.checkRate, e.checkAuth, e.checkSignature, e.checkText, e.checkState} {
		if field, problem := check(); problem != "" {
			return nil, &message.FieldError{Field: field, Problem: problem}
		}
	}
	f, err := ParseFilter(e.Filter)
	if err != nil {
		return nil, &message.FieldError{Field: "filter", Problem: err.Error()}
	}
	e.URL, t.Signature = t.URL, e.Signature
	if e.VerifiedOrigin != "" {
		if t.Headers == nil {
			t.Headers = http.Header{}
		}
		t.Headers[webhook.RequestOrigin] = []string{e.VerifiedOrigin}
	}
	return &Ready{Endpoint: e, Target: t, filter: f}, nil
}

// Gets reports whether the endpoint gets an event.
func (r *Ready) Gets(eventType string, body []byte) bool {
	return Subscribes(r.EventTypes, eventType) && r.filter.Matches(body)
}

func (e *Endpoint) checkTypes() (field, problem string) {
	const name = "event_types"
	switch n := len(e.EventTypes); {
	case n == 0:
		return name, `must have one pattern at least; ["*"] has all`
	case n > maxPatterns:
		return name, fmt.Sprintf("has %d patterns, and may have %d", n, maxPatterns)
	}
	for _, p := range e.EventTypes {
		if problem := message.CheckPattern(p); problem != "" {
			return name, strconv.Quote(message.Shorten(p, 64)) + " " + problem
		}
	}
	return "", ""
}

func (e *Endpoint) checkRate() (field, problem string) {
	if r := e.RatePerSecond; r != 0 && !(r >= minRate && r <= MaxRate) {
		return "rate_per_second", fmt.Sprintf("must be from 1/3600 to %d, or 0 for no bound", MaxRate)
	}
	return "", ""
}

func (e *Endpoint) checkAuth() (field, problem string) {
	if n := len(e.Headers) + len(e.Auth); n > maxHeaders {
		return "headers", fmt.Sprintf("are %d with those of auth, and may be %d", n, maxHeaders)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Auth)) {
		quoted := strconv.Quote(message.Shorten(name, 64))
		if problem := webhook.CheckHeader(name, ""); problem != "" {
			return "auth", quoted + " " + problem
		}
		if problem := webhook.CheckReference(e.Auth[name]); problem != "" {
			return "auth", quoted + ": " + problem
		}
	}
	return "", ""
}

func (e *Endpoint) checkSignature() (field, problem string) {
	if e.Signature == nil {
		return "", ""
	}
	field, problem = e.Signature.Check()
	return "signature." + field, problem
}

func (e *Endpoint) checkText() (field, problem string) {
	if len(e.Description) > maxDescription || message.HasControl(e.Description) {
		return "description", fmt.Sprintf("must be at most %d bytes, without control characters", maxDescription)
	}
	if n := len(e.Labels); n > maxLabels {
		return "labels", fmt.Sprintf("are %d, and may be %d", n, maxLabels)
	}
	for name, value := range e.Labels {
		if name == "" || len(name) > maxLabel || len(value) > maxLabel || message.HasControl(name+value) {
			return "labels", fmt.Sprintf("must have names and values of at most %d bytes, without control characters", maxLabel)
		}
	}
	return "", ""
}

func (e *Endpoint) checkState() (field, problem string) {
	switch e.State {
	case Enabled, Paused, Disabled:
		return "", ""
	}
	return "state", "must be enabled, paused or disabled"
}
