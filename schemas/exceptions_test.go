package schemas_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/efferent/efferent/internal/message"
)

// exception is something that a schema can't say: the reader refuses what the
// schema takes. Each stands in the schemas' $comment. There is none the other way
// round: what the reader takes, the schema takes.
type exception struct {
	name string
	only string // webhook or notification; empty: both
	// problem is a part of what the reader says.
	problem string
	// holds reports, without the reader, whether a message is such a case.
	holds func(f *message.FieldError, data []byte) bool
}

var exceptions = []exception{
	// Whatever is wrong with the first of two is wrong by the reader alone.
	{"a key twice", "", "", func(_ *message.FieldError, data []byte) bool { return keyTwice(data, strings.Clone) }},
	{"a header twice", "webhook", "", func(_ *message.FieldError, data []byte) bool {
		return keyTwice(value(data, "headers"), strings.ToLower)
	}},
	{"an address twice", "notification", "", func(_ *message.FieldError, data []byte) bool {
		return keyTwice(value(data, "recipients"), strings.Clone)
	}},
	{"no Unicode", "", "valid Unicode", func(_ *message.FieldError, data []byte) bool { return !isUnicode(data) }},
	{"no Unicode", "notification", "addresses (strings)", func(_ *message.FieldError, data []byte) bool { return !isUnicode(data) }},
	{"no Unicode", "webhook", "is not valid UTF-8", func(_ *message.FieldError, data []byte) bool { return !utf8.Valid(data) }},
	{"no Unicode", "", "not valid JSON", func(_ *message.FieldError, data []byte) bool { return !utf8.Valid(data) }},
	{"a length in bytes", "", "bytes", tooManyBytes},
	{"a length in bytes", "webhook", "8 KiB long", tooManyBytes},
	{"a length in bytes", "webhook", "is not a name that Secrets Manager takes", tooManyBytes},
	{"a URL too long when encoded", "webhook", "when it is percent-encoded", func(_ *message.FieldError, data []byte) bool {
		url := text(data, "url")
		return 3*len(url) > 8<<10 && strings.ContainsFunc(url, func(r rune) bool { return strings.ContainsRune(" \"<>[]\\^`{|}", r) || r > 0x7f })
	}},
	{"no international name", "webhook", "neither a name nor an address", isInternational},
	{"no international name", "webhook", "longer than names can be", isInternational},
	{"over 1 MiB", "notification", "at most 1 MiB", func(_ *message.FieldError, data []byte) bool { return len(data) > 1<<20 }},
}

var international = regexp.MustCompile(`^[A-Za-z]+://[^/?]*(?:[^\x00-\x7f]|%[89a-fA-F])`)

func isInternational(_ *message.FieldError, data []byte) bool {
	return international.MatchString(text(data, "url"))
}

// tooManyBytes reports whether a field's characters are few enough, and its
// bytes are not.
func tooManyBytes(f *message.FieldError, data []byte) bool {
	limit := map[string]int{"tenant": 128, "event_type": 256, "secret": 2048, "url": 8 << 10}[f.Field]
	s := text(data, f.Field)
	return len(s) > limit && utf8.RuneCountInString(s) <= limit
}

// value is a field's JSON, as a usual parser has it.
func value(data []byte, field string) json.RawMessage {
	var fields map[string]json.RawMessage
	if json.Unmarshal(data, &fields) != nil {
		return nil
	}
	return fields[field]
}

func text(data []byte, field string) (s string) {
	if json.Unmarshal(value(data, field), &s) != nil {
		return ""
	}
	return s
}

// What surrogates look like as escapes.
var (
	pair = regexp.MustCompile(`\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}`)
	half = regexp.MustCompile(`\\u[dD][89a-fA-F]`)
)

// isUnicode reports whether data is UTF-8 without half of a surrogate pair.
func isUnicode(data []byte) bool {
	rest := bytes.ReplaceAll(data, []byte(`\\`), []byte(" ")) // an escaped backslash begins no escape
	return utf8.Valid(data) && !half.Match(pair.ReplaceAll(rest, nil))
}

// keyTwice reports whether an object has a key twice, as fold makes them equal.
func keyTwice(object []byte, fold func(string) string) bool {
	d := json.NewDecoder(bytes.NewReader(object))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return false
	}
	seen := map[string]bool{}
	for d.More() {
		name, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return false
		}
		key := fold(name.(string))
		if seen[key] {
			return true
		}
		seen[key] = true
	}
	return false
}
