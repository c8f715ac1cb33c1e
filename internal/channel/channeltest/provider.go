// Package channeltest is what the tests of the senders share: a provider that
// does as it is told, what every sender must make of the ways an exchange
// breaks, and what no reason may tell.
package channeltest

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// Answer is what a scripted provider does with a request.
type Answer struct {
	Status int
	Header map[string]string
	Body   string
	// Fault, in place of an answer or of its end.
	Fault Fault
}

// Fault is how an exchange breaks.
type Fault string

// The faults.
const (
	Refuse    Fault = "connection refused"
	Cut       Fault = "cut after the request"
	CutMiddle Fault = "cut in the answer's body"
	Hang      Fault = "the caller gives up after the request"
	Gone      Fault = "the caller has given up before"
	Untrusted Fault = "a certificate that nobody trusts"
	Plain     Fault = "no TLS where TLS is due"
	NoHost    Fault = "a host without an address"
)

// Provider is a scripted HTTP server. It gives one answer, and notes the
// requests.
type Provider struct {
	URL string

	answer   Answer
	giveUp   context.CancelFunc
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
}

// Start starts it. Its context ends where the fault says that the caller gives
// up.
func Start(t *testing.T, a Answer) (*Provider, context.Context) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	p := &Provider{answer: a, giveUp: cancel}
	switch a.Fault {
	case Gone:
		cancel()
	case NoHost:
		p.URL = "https://no-such-host.invalid"
		return p, ctx
	case Untrusted:
		s := httptest.NewTLSServer(p)
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		t.Cleanup(s.Close)
		p.URL = s.URL
		return p, ctx
	}
	s := httptest.NewServer(p)
	t.Cleanup(s.Close)
	p.URL = s.URL
	switch a.Fault {
	case Plain:
		p.URL = strings.Replace(s.URL, "http:", "https:", 1)
	case Refuse:
		s.Close()
	}
	return p, ctx
}

func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	p.mu.Lock()
	a := p.answer
	p.requests, p.bodies = append(p.requests, r), append(p.bodies, string(body))
	p.mu.Unlock()
	switch a.Fault {
	case Cut:
		panic(http.ErrAbortHandler)
	case Hang:
		p.giveUp()
		<-r.Context().Done()
		return
	case CutMiddle:
		w.Header().Set("Content-Length", "1000")
	}
	for name, value := range a.Header {
		w.Header().Set(name, value)
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body)
}

// Seen are the requests so far, and their bodies.
func (p *Provider) Seen() ([]*http.Request, []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.requests, p.bodies
}

// Say changes the answer.
func (p *Provider) Say(a Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answer = a
}
