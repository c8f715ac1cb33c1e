package message

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// What an SQS message may have ("Amazon SQS message quotas"): MaxSize bytes with
// its attributes, and MaxAttributes of those.
const (
	MaxSize       = 1 << 20
	MaxAttributes = 10
)

// Attribute is a message attribute of SQS.
type Attribute struct {
	// Type is String, Number or Binary, with a suffix of the producer's perhaps.
	Type string `json:"type"`
	// Text is the value, unless it is Binary.
	Text   string `json:"text,omitzero"`
	Binary []byte `json:"binary,omitzero"`
}

// Text is an attribute of the type String.
func Text(value string) Attribute { return Attribute{Type: "String", Text: value} }

// Size is how many bytes of a message an attribute uses up.
func (a Attribute) Size(name string) int {
	return len(name) + len(a.Type) + len(a.Text) + len(a.Binary)
}

// SortedNames are the names of attributes, in the order in which they are sent where
// not all can be.
func SortedNames(attributes map[string]Attribute) []string {
	return slices.SortedFunc(maps.Keys(attributes), CompareNames)
}

// CompareNames orders names of attributes: those of a trace come first, so that it
// goes on where others must stay behind (W3C Trace Context, section 3.2.1 and 3.3.1).
func CompareNames(a, b string) int {
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
}

func rank(name string) int {
	switch name {
	case TraceParent:
		return 0
	case TraceState:
		return 1
	}
	return 2
}

// The message attributes of a producer's trace, as OpenTelemetry writes them.
const (
	TraceParent = "traceparent"
	TraceState  = "tracestate"
)

// TraceHeader is the system attribute of X-Ray's trace.
const TraceHeader = "AWSTraceHeader"

// Hide is a received message that is not to be received again for a while: For
// from now, in whole seconds of 0 to 12 hours; 0 shows it at once.
type Hide struct {
	ReceiptHandle string
	For           time.Duration
}
