package trace

// Message is where a message may say which trace it belongs to. Whoever may send one
// may say so, or not: it decides about nothing but that.
type Message struct {
	// Parent and State are its attributes traceparent and tracestate, nil where it has
	// none.
	Parent, State *string
	// Carried is what it took along when it was sent anew.
	Carried string
	// XRay is its AWSTraceHeader; empty of one that was sent anew: that is its sender's.
	XRay string
}

// Trace is the message's, and whether its own attribute says it: the first that is
// well formed.
func (m Message) Trace() (c Context, own bool) {
	var parent, state string
	if m.Parent != nil {
		parent = *m.Parent
	}
	if m.State != nil {
		state = *m.State
	}
	var ok bool
	if c, ok = Parse(parent, state); ok {
		return c, true
	}
	if c, ok = Parse(m.Carried, ""); ok {
		return c, false
	}
	c, _ = ParseXRay(m.XRay)
	return c, false
}
