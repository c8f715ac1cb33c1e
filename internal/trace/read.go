package trace

import (
	"encoding/hex"
	"strings"
)

// Parse reads a traceparent (W3C Trace Context, section 3.2.2) and its tracestate
// (section 3.3), either of which may come from anybody. What is malformed is none; a
// tracestate that is malformed is left out.
func Parse(parent, state string) (c Context, ok bool) {
	const length = 55
	switch {
	case len(parent) < length, parent[2] != '-', parent[35] != '-', parent[52] != '-':
		return Context{}, false
	case parent[:2] == "ff", len(parent) > length && (parent[:2] == "00" || parent[length] != '-'):
		return Context{}, false // section 3.2.4, "Versioning of traceparent"
	}
	var version, flags [1]byte
	for _, part := range []struct {
		into []byte
		text string
	}{{version[:], parent[:2]}, {c.TraceID[:], parent[3:35]}, {c.SpanID[:], parent[36:52]}, {flags[:], parent[53:55]}} {
		if !lowerHex(part.into, part.text) {
			return Context{}, false
		}
	}
	if !c.Has() || c.SpanID == [8]byte{} {
		return Context{}, false
	}
	c.Flags = flags[0] & (Sampled | Random)
	if validState(state) {
		c.State = state
	}
	return c, true
}

// lowerHex reports whether a text is hex, in lower case as it must be (section 3.2.2).
func lowerHex(into []byte, text string) bool {
	if strings.ToLower(text) != text {
		return false
	}
	_, err := hex.Decode(into, []byte(text))
	return err == nil
}

// The bounds of a tracestate (section 3.3.1.1 "list", and 3.3.1.5 "Limits").
const (
	mostState   = 512
	mostMembers = 32
)

// validState looks at a tracestate as far as who passes it on must: it can be a
// header, and has members with keys.
func validState(state string) bool {
	if len(state) > mostState || strings.Count(state, ",") >= mostMembers {
		return false
	}
	for member := range strings.SplitSeq(state, ",") {
		key, value, is := strings.Cut(strings.Trim(member, " \t"), "=")
		switch {
		case key == "" && !is: // an empty member is allowed
		case !is, key == "", strings.Trim(key, keyBytes) != "", strings.ContainsFunc(value, notInValue):
			return false
		}
	}
	return true
}

const keyBytes = "abcdefghijklmnopqrstuvwxyz0123456789_-*/@"

func notInValue(r rune) bool { return r < ' ' || r > '~' || r == '=' }

// ParseXRay reads X-Ray's tracing header, as it stands in SQS's AWSTraceHeader
// ("AWS X-Ray concepts", tracing header). The root "1-<8 hex>-<24 hex>" is the trace's
// id in 32 ("Sending trace data to X-Ray", on W3C trace ids). What is malformed is
// none.
func ParseXRay(header string) (c Context, ok bool) {
	for field := range strings.SplitSeq(header, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		switch name {
		case "Root":
			if ok = xrayRoot(&c, value); !ok {
				return Context{}, false
			}
		case "Parent":
			if len(value) != 16 || !lowerHex(c.SpanID[:], value) {
				c.SpanID = [8]byte{}
			}
		case "Sampled":
			if value == "1" {
				c.Flags = Sampled
			}
		}
	}
	if !ok || !c.Has() {
		return Context{}, false
	}
	return c, true
}

func xrayRoot(c *Context, root string) bool {
	return len(root) == 35 && root[:2] == "1-" && root[10] == '-' && lowerHex(c.TraceID[:], root[2:10]+root[11:])
}
