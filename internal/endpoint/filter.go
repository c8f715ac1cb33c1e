package endpoint

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

// What a filter may have: its bytes (EventBridge's are as many at most, "Amazon
// EventBridge quotas"), and how deep its objects go.
const (
	maxFilter      = 4096
	maxFilterDepth = 20
)

// Filter is what the body of an event must be like: a subset of EventBridge's event
// patterns ("Comparison operators for use in event patterns in Amazon EventBridge"),
// with the meaning that they have there (github.com/aws/event-ruler). The zero Filter
// matches all.
type Filter struct {
	root *pattern
	// names are those of all its fields.
	names map[string]bool
}

// uses reports whether it looks at fields of a name.
func (f Filter) uses(name string) bool { return f.names[name] }

// pattern is an object of a filter: what each of its fields must be like.
type pattern struct {
	name string
	// path leads there from the body.
	path   []string
	fields []*pattern
	// tests are those of a leaf, of which one must hold; absent says that it may also
	// not be there.
	tests  []test
	absent bool
}

// test is a condition on one value that is no object and no array.
type test func(value) bool

// ParseFilter reads a filter. Its error names the field that is wrong.
func ParseFilter(data jsontext.Value) (Filter, error) {
	if len(data) == 0 {
		return Filter{}, nil
	}
	if len(data) > maxFilter {
		return Filter{}, fmt.Errorf("is %d bytes long, and may be %d", len(data), maxFilter)
	}
	v, err := parseStrictly(data)
	if err != nil {
		return Filter{}, err
	}
	f := Filter{&pattern{}, map[string]bool{}}
	if err := f.root.read(v); err != nil {
		return Filter{}, err
	}
	f.name(f.root)
	return f, nil
}

func (f Filter) name(p *pattern) {
	for _, field := range p.fields {
		f.names[field.name] = true
		f.name(field)
	}
}

var errPattern = errors.New(`must be an object of fields, such as {"status": ["paid"]}`)

// parseStrictly reads JSON in which no key stands twice.
func parseStrictly(data jsontext.Value) (value, error) {
	if !data.IsValid() {
		return value{}, errors.New("must be JSON, in which no key stands twice")
	}
	v, ok := parseValue(data, func(string) bool { return true })
	if !ok || v.kind != jsontext.KindBeginObject {
		return value{}, errPattern
	}
	return v, nil
}

// read reads an object of fields.
func (p *pattern) read(v value) error {
	if len(v.members) == 0 {
		return p.fail("has no field: leave out what is to match all")
	}
	if len(p.path) == maxFilterDepth {
		return p.fail("goes deeper than %d objects", maxFilterDepth)
	}
	for _, m := range v.members {
		f := &pattern{name: m.text, path: append(slices.Clone(p.path), m.text)}
		if strings.HasPrefix(f.name, "$") {
			return f.fail("is no field: %s is not supported", message.Shorten(f.name, 64))
		}
		var err error
		switch m.kind {
		case jsontext.KindBeginObject:
			err = f.read(m)
		case jsontext.KindBeginArray:
			err = f.readTests(m)
		default:
			err = f.fail("must be an array of what it may be, or an object of fields")
		}
		if err != nil {
			return err
		}
		p.fields = append(p.fields, f)
	}
	return nil
}

// fail names the field that is wrong.
func (p *pattern) fail(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if len(p.path) == 0 {
		return errors.New(text)
	}
	return fmt.Errorf("%s: %s", strconv.Quote(message.Shorten(strings.Join(p.path, "."), 200)), text)
}

// readTests reads what a leaf may be.
func (p *pattern) readTests(v value) error {
	if len(v.elements) == 0 {
		return p.fail("is an empty array, which nothing matches")
	}
	for _, e := range v.elements {
		switch e.kind {
		case jsontext.KindBeginArray:
			return p.fail("has an array in its array")
		case jsontext.KindBeginObject:
			if err := p.readOperator(e); err != nil {
				return err
			}
		default:
			p.tests = append(p.tests, e.equals)
		}
	}
	return nil
}

// operators are those that a filter may have; unsupported are EventBridge's others.
var (
	operators   = []string{"prefix", "exists", "numeric", "anything-but"}
	unsupported = []string{"suffix", "equals-ignore-case", "wildcard", "cidr"}
)

// readOperator reads a condition such as {"prefix": "a"}.
func (p *pattern) readOperator(v value) error {
	if len(v.members) != 1 {
		return p.fail("has a condition of %d keys: each has one, its operator (%s)", len(v.members), strings.Join(operators, ", "))
	}
	of := v.members[0]
	var problem string
	var t test
	switch of.text {
	case "prefix":
		t, problem = prefixTest(of)
	case "exists":
		switch of.kind {
		case jsontext.KindTrue:
			t = func(value) bool { return true }
		case jsontext.KindFalse:
			p.absent = true
			return nil
		default:
			problem = "must be true or false"
		}
	case "numeric":
		t, problem = numericTest(of)
	case "anything-but":
		t, problem = anythingBut(of)
	default:
		if slices.Contains(unsupported, of.text) {
			return p.fail("%s is not supported: there are %s", of.text, strings.Join(operators, ", "))
		}
		return p.fail("%q is no operator: there are %s", message.Shorten(of.text, 64), strings.Join(operators, ", "))
	}
	if problem != "" {
		return p.fail("%s %s", of.text, problem)
	}
	p.tests = append(p.tests, t)
	return nil
}
