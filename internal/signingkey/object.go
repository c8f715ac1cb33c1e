package signingkey

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Object is the value of a JSON secret. It keeps the text as it was written. It
// does not change, and is safe for concurrent use.
type Object struct {
	text    string
	members []member
	end     int // where one more member goes, in bytes
}

// member is one name's value in an Object's text.
type member struct {
	name       string
	start, end int // of the value
}

// Parse reads a JSON secret. Its error is ErrNotObject.
func Parse(text string) (Object, error) {
	d := jsontext.NewDecoder(strings.NewReader(text))
	o := Object{text: text}
	if token, err := d.ReadToken(); err != nil || token.Kind() != '{' {
		return Object{}, ErrNotObject
	}
	for {
		o.end = int(d.InputOffset())
		token, err := d.ReadToken()
		if err == nil && token.Kind() == '}' {
			break
		}
		m := member{name: token.String()}
		value, invalid := d.ReadValue()
		if err != nil || invalid != nil {
			return Object{}, ErrNotObject
		}
		m.end = int(d.InputOffset())
		m.start = m.end - len(value)
		o.members = append(o.members, m)
	}
	if _, err := d.ReadToken(); err != io.EOF {
		return Object{}, ErrNotObject
	}
	return o, nil
}

// Begins reports whether a text that is no Object was meant as one: it begins as
// one, and is not to be taken for a key.
func Begins(text string) bool { return strings.HasPrefix(strings.TrimSpace(text), "{") }

// Names are those that a key may stand under, in the text's order: what is a
// text, or an object with "current". All else are somebody's notes, and a text
// may be one too.
func (o Object) Names() (all []string) {
	for _, m := range o.members {
		value := o.value(m)
		var probe struct {
			Current jsontext.Value `json:"current"`
		}
		if value.Kind() == '"' || value.Kind() == '{' && json.Unmarshal(value, &probe) == nil && probe.Current != nil {
			all = append(all, m.name)
		}
	}
	return all
}

// Key reads the key under a name. Its error wraps ErrNoKey, or says what is
// wrong with the key's history; it names the key.
func (o Object) Key(name string) (Key, error) {
	i := o.find(name)
	if i < 0 {
		return Key{}, fmt.Errorf("key %q: %w of this name", name, ErrNoKey)
	}
	k, err := readKey(o.value(o.members[i]))
	if err != nil {
		return Key{}, fmt.Errorf("key %q: %w", name, err)
	}
	return k, nil
}

func (o Object) find(name string) int {
	return slices.IndexFunc(o.members, func(m member) bool { return m.name == name })
}

func (o Object) value(m member) jsontext.Value { return jsontext.Value(o.text[m.start:m.end]) }

// with gives the text with a name's value set, and all else byte for byte as it
// was.
func (o Object) with(name string, value any) (string, error) {
	set, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("key %q: it is not text in UTF-8", name)
	}
	if i := o.find(name); i >= 0 {
		return o.text[:o.members[i].start] + string(set) + o.text[o.members[i].end:], nil
	}
	quoted, err := json.Marshal(name)
	if err != nil {
		return "", fmt.Errorf("the key's name %q is not text in UTF-8", name)
	}
	comma := ""
	if len(o.members) > 0 {
		comma = ","
	}
	return o.text[:o.end] + comma + string(quoted) + ":" + string(set) + o.text[o.end:], nil
}
