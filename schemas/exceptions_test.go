package schemas_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"mime"
	"net/mail"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

// exception is something that a schema can't say: the reader refuses what the
// schema takes. Each stands in the schemas' $comment. There is none the other way
// round: what the reader takes, the schema takes.
type exception struct {
	name string
	only string // those of which some must show it, such as webhook notification; empty: all
	// problem is a part of what the reader says.
	problem string
	// holds reports, without the reader, whether a message is such a case.
	holds func(f *message.FieldError, data []byte) bool
}

var exceptions = []exception{
	// Whatever is wrong with the first of two is wrong by the reader alone.
	{"a key twice", "", "", func(_ *message.FieldError, data []byte) bool { return keyTwice(data, strings.Clone) }},
	{"a header twice", "webhook notification", "", func(_ *message.FieldError, data []byte) bool {
		return keyTwice(value(data, "headers"), strings.ToLower)
	}},
	{"an address twice", "notification", "", func(_ *message.FieldError, data []byte) bool {
		return keyTwice(value(data, "recipients"), strings.Clone)
	}},
	{"no Unicode", "", "valid Unicode", func(_ *message.FieldError, data []byte) bool { return !isUnicode(data) }},
	{"a key twice, inside", "notification", "", func(_ *message.FieldError, data []byte) bool { return keyTwiceInside(data) }},
	{"no Unicode", "notification", "", func(_ *message.FieldError, data []byte) bool { return !isUnicode(data) }},
	{"no email address", "notification", "must be one email address", noMailbox},
	{"too many recipients", "notification", "makes more than 50 recipients", func(_ *message.FieldError, data []byte) bool {
		return len(list(data, "cc"))+len(list(data, "bcc"))+max(1, len(list(data, "recipient"))) > 50
	}},
	{"an attachment that is none", "notification", "] must have ", noAttachment},
	{"an attachment shown twice", "notification", "has the content_id of another", func(_ *message.FieldError, data []byte) bool {
		seen := map[string]bool{}
		for _, a := range attachments(data) {
			if id, twice := a["content_id"], seen[a["content_id"]]; id != "" && twice {
				return true
			}
			seen[a["content_id"]] = true
		}
		return false
	}},
	{"its own id", "notification", "is the message's own id", func(f *message.FieldError, data []byte) bool {
		return text(data, f.Field) == text(data, "id")
	}},
	{"no Unicode", "webhook", "is not valid UTF-8", func(_ *message.FieldError, data []byte) bool { return !utf8.Valid(data) }},
	{"no Unicode", "", "not valid JSON", func(_ *message.FieldError, data []byte) bool { return !utf8.Valid(data) }},
	{"a length in bytes", "webhook notification", "bytes", tooManyBytes},
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

// noMailbox reports whether an address is none, or too long in bytes.
func noMailbox(f *message.FieldError, data []byte) bool {
	all := list(data, f.Field)
	if f.Field == "reply_to" {
		all = []string{text(data, f.Field)}
	}
	for _, s := range all {
		a, err := mail.ParseAddress(s)
		if err != nil || len(s) > 320 || len(a.Address) > 254 {
			return true
		}
		if again, err := mail.ParseAddress(a.Address); err != nil || again.Address != a.Address {
			return true // it has a quoted local part
		}
	}
	return false
}

// noAttachment reports whether a file's content or its media type is none, or what
// names it is too long in bytes.
func noAttachment(_ *message.FieldError, data []byte) bool {
	for _, a := range attachments(data) {
		content, err := base64.StdEncoding.DecodeString(a["content"])
		_, _, wrong := mime.ParseMediaType(a["type"])
		_, has := a["content"]
		if err != nil || has && len(content) == 0 || a["type"] != "" && wrong != nil || len(a["name"]) > 255 || len(a["s3"]) > 1088 ||
			len(a["type"]) > 200 {
			return true
		}
	}
	return false
}

func attachments(data []byte) (all []map[string]string) {
	if json.Unmarshal(value(data, "attachments"), &all) != nil {
		return nil
	}
	return all
}

func list(data []byte, field string) (all []string) {
	if json.Unmarshal(value(data, field), &all) != nil {
		return nil
	}
	return all
}

// keyTwiceInside reports whether any object in data has a key twice.
func keyTwiceInside(data []byte) bool {
	d := jsontext.NewDecoder(bytes.NewReader(data), jsontext.AllowInvalidUTF8(true))
	_, err := d.ReadValue()
	return errors.Is(err, jsontext.ErrDuplicateName)
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
