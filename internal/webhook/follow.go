package webhook

import (
	"net/http"

	"github.com/efferent/efferent/internal/trace"
)

// The headers of a trace, in net/http's form (W3C Trace Context, sections 3.2.1 and
// 3.3.1: names in any case).
const (
	parentHeader = "Traceparent"
	stateHeader  = "Tracestate"
)

// Trace is the one that the message's own headers name. They are sent as they stand.
func (m Message) Trace() (trace.Context, bool) {
	return trace.Parse(m.Headers.Get(parentHeader), m.Headers.Get(stateHeader))
}

// follow says which trace a request belongs to, where its headers do not.
func follow(h http.Header, place trace.Context) {
	if !place.Has() || h[parentHeader] != nil {
		return
	}
	h[parentHeader] = []string{place.Parent()}
	delete(h, stateHeader) // one without a parent is of nothing (section 3.3)
	if place.State != "" {
		h[stateHeader] = []string{place.State}
	}
}

// Server is the host and the port that the message is sent to; empty of one that was
// refused.
func (m Message) Server() (host, port string) {
	if m.target == nil {
		return "", ""
	}
	if port = m.target.Port(); port == "" {
		port = map[string]string{"http": "80", "https": "443"}[m.target.Scheme]
	}
	return m.target.Hostname(), port
}
