package trace

import "time"

// Kind is a span's ("Trace API", SpanKind).
type Kind int

// The kinds in use.
const (
	Client Kind = iota
	Consumer
)

// Attribute is one of a span's: Value is a string or an int64.
type Attribute struct {
	Key   string
	Value any
}

// Text and Number are attributes.
func Text(key, value string) Attribute { return Attribute{key, value} }

// Number is an attribute whose value is a number.
func Number(key string, value int) Attribute { return Attribute{key, int64(value)} }

// Start is how a span begins.
type Start struct {
	Name string
	Kind Kind
	// Parent is what it is a child of; none begins a trace.
	Parent Context
	// Links are what it has to do with beside that.
	Links []Context
	// At is when it began; zero is now.
	At         time.Time
	Attributes []Attribute
}

// Tracer makes spans. It is used by many goroutines at once, and blocks on nobody.
type Tracer interface{ Start(s Start) Span }

// Span is one that has begun. Nothing that is secret, no message's body and no query
// of a URL may be among its attributes.
type Span interface {
	// Context is its place in its trace, which is passed on. It is never none.
	Context() Context
	// End ends it, once. failure is empty where what it is about went well.
	End(failure string, more ...Attribute)
}
