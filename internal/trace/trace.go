// Package trace is the trace that a message belongs to: how a producer's is read, and
// what is passed on of it (W3C Trace Context). It makes no spans: who wants those
// brings a Tracer.
package trace

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// Context is a place in a trace. The zero Context is none.
type Context struct {
	// TraceID is the trace's, SpanID that of the span which what follows is a child
	// of; zero where that is not known.
	TraceID [16]byte
	SpanID  [8]byte
	// Flags are those that are passed on: Sampled, and Random.
	Flags byte
	// State is the text of tracestate, empty where there is none.
	State string
}

// The flags (W3C Trace Context Level 2, section 3.2.2.5, "trace-flags").
const (
	Sampled = 0x01
	Random  = 0x02
)

// Has reports whether there is a trace.
func (c Context) Has() bool { return c.TraceID != [16]byte{} }

// ID is the trace's id, 32 hex digits; empty where there is no trace.
func (c Context) ID() string {
	if !c.Has() {
		return ""
	}
	return hex.EncodeToString(c.TraceID[:])
}

// Parent is the text of traceparent, in version 00 (section 3.2.2, "traceparent Header
// Field Values").
func (c Context) Parent() string {
	const text = "00-00000000000000000000000000000000-0000000000000000-00"
	b := []byte(text)
	hex.Encode(b[3:], c.TraceID[:])
	hex.Encode(b[36:], c.SpanID[:])
	hex.Encode(b[53:], []byte{c.Flags})
	return string(b)
}

// Next is the place of a new span of the same trace (section 3.4, "Mutating the
// traceparent Field").
func (c Context) Next() Context {
	for {
		binary.BigEndian.PutUint64(c.SpanID[:], rand.Uint64())
		if c.SpanID != [8]byte{} {
			return c
		}
	}
}
