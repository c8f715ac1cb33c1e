package message

import (
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

// SortedNames are the names of attributes, in order.
func SortedNames(attributes map[string]Attribute) []string {
	return slices.Sorted(maps.Keys(attributes))
}

// Hide is a received message that is not to be received again for a while: For
// from now, in whole seconds of 0 to 12 hours; 0 shows it at once.
type Hide struct {
	ReceiptHandle string
	For           time.Duration
}
