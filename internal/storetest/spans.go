package storetest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/efferent/efferent/internal/trace"
)

// Spans is a Tracer that keeps what it was told.
type Spans struct {
	mu    sync.Mutex
	ended []string
}

// Start begins a span.
func (s *Spans) Start(start trace.Start) trace.Span {
	place := start.Parent.Next()
	if !place.Has() {
		place.TraceID[15] = 1
	}
	return &span{s, start, place}
}

// Ended are the spans in the order in which they ended, each a text with its name, the
// id of its parent's span, why it failed, and its attributes.
func (s *Spans) Ended() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

type span struct {
	of    *Spans
	start trace.Start
	place trace.Context
}

func (s *span) Context() trace.Context { return s.place }

func (s *span) End(failure string, more ...trace.Attribute) {
	text := fmt.Sprintf("%s of %x", s.start.Name, s.start.Parent.SpanID)
	if failure != "" {
		text += " failed by " + failure
	}
	for _, a := range append(s.start.Attributes, more...) {
		text += fmt.Sprintf(" %s=%v", a.Key, a.Value)
	}
	s.of.mu.Lock()
	defer s.of.mu.Unlock()
	s.of.ended = append(s.of.ended, strings.TrimSpace(text))
}
