package render

import (
	"fmt"
	"maps"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// valueError says what is wrong with a value, without the value.
type valueError string

func (e valueError) Error() string { return string(e) }

func valuef(format string, args ...any) error { return valueError(fmt.Sprintf(format, args...)) }

// authors are the functions that templates may call: ours, and those of text/template
// that only look at values. Others of it make texts of any size, or tell Go's types.
var authors = func() map[string]any {
	all := ofAuthors(newBudget())
	for _, builtin := range []string{"and", "or", "not"} {
		all[builtin] = func() string { return "" } // its name counts only
	}
	return all
}()

// functions are all that a shaped template calls.
func functions(b *budget) map[string]any {
	all := ofAuthors(b)
	maps.Copy(all, map[string]any{
		stepName:  func(n int) (bool, error) { return false, b.take(n) },
		printName: b.print, quoteName: b.quote, valueName: b.value,
	})
	return all
}

func ofAuthors(b *budget) map[string]any {
	return map[string]any{
		"date": b.date, "default": b.byDefault, "has": b.has, "optional": b.optional, "index": b.index, "len": b.length,
		"upper": b.text(strings.ToUpper), "lower": b.text(strings.ToLower), "trim": b.text(strings.TrimSpace),
		"query": b.text(url.QueryEscape), "truncate": b.truncate, "join": b.join, "fixed": b.fixed, "json": b.json,
		"eq": b.equal, "ne": b.unequal, "lt": b.order(func(c int) bool { return c < 0 }), "le": b.order(func(c int) bool { return c <= 0 }),
		"gt": b.order(func(c int) bool { return c > 0 }), "ge": b.order(func(c int) bool { return c >= 0 }),
	}
}

// scalar is a value as a text; ok is false of what is none: null, objects and arrays.
func scalar(value any) (text string, ok bool) {
	switch v := value.(type) {
	case string:
		return v, true
	case decimal:
		return v.text(), true
	case int, int64, float64, bool:
		return fmt.Sprint(v), true
	}
	return "", false
}

// print looks at a value that is about to be printed as text.
func (b *budget) print(called string, value any) (string, error) {
	text, ok := scalar(value)
	switch value.(type) {
	case nil:
		return "", valuef("%s is null", called)
	case map[string]any:
		return "", valuef("%s is an object: name a field of it", called)
	case []any:
		return "", valuef("%s is an array: go through it with range, or join it", called)
	}
	if !ok {
		return "", valuef("%s can't be printed", called)
	}
	return text, b.bytes(len(text))
}

// quote is a value as it stands inside a JSON string.
func (b *budget) quote(called string, value any) (string, error) {
	text, err := b.print(called, value)
	if err != nil {
		return "", err
	}
	quoted, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		return "", valuef("%s is not valid Unicode", called)
	}
	return string(quoted[1 : len(quoted)-1]), nil
}

// value is a value as JSON.
func (b *budget) value(_ string, value any) (string, error) { return b.json(value) }

func (b *budget) json(value any) (string, error) {
	text, err := json.Marshal(value, json.Deterministic(true), decimals)
	if err != nil {
		return "", valuef("what is given to json is not valid Unicode")
	}
	return string(text), b.bytes(len(text))
}

// decimals are written by this and no method, which templates could call.
var decimals = json.WithMarshalers(json.MarshalFunc(func(d decimal) ([]byte, error) { return []byte(d.text()), nil }))

// text is a function of texts. Numbers are taken as they are written.
func (b *budget) text(of func(string) string) func(any) (string, error) {
	return func(value any) (string, error) {
		text, ok := scalar(value)
		if !ok {
			return "", valuef("%s is no text", kindOf(value))
		}
		if err := b.bytes(len(text)); err != nil {
			return "", err
		}
		made := of(text)
		return made, b.bytes(len(made))
	}
}

func kindOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case map[string]any:
		return "an object"
	case []any:
		return "an array"
	case bool:
		return "a boolean"
	case string:
		return "a text"
	}
	return "a number"
}

// byDefault is value, or instead of it what is given where it is null or empty.
func (b *budget) byDefault(instead, value any) any {
	switch v := value.(type) {
	case nil:
		return instead
	case string:
		if v == "" {
			return instead
		}
	}
	return value
}

// look goes down in data by keys of objects and indexes of arrays.
func look(data any, keys []any) (value any, err error) {
	for _, key := range keys {
		switch from := data.(type) {
		case map[string]any:
			name, isText := key.(string)
			value, ok := from[name]
			if !isText || !ok {
				return nil, valuef("the field is missing in the data")
			}
			data = value
		case []any:
			n, ok := asInt(key)
			if !ok || n < 0 || n >= len(from) {
				return nil, valuef("the array has no such entry")
			}
			data = from[n]
		default:
			return nil, valuef("%s has no fields and no entries", kindOf(data))
		}
	}
	return data, nil
}

func asInt(value any) (int, bool) {
	switch n := value.(type) {
	case int:
		return n, true
	case int64:
		return int(n), true
	}
	return 0, false
}

func (b *budget) index(data any, keys ...any) (any, error) { return looked(b, data, keys) }

func looked(b *budget, data any, keys []any) (any, error) {
	if err := b.take(1 + len(keys)); err != nil {
		return nil, err
	}
	return look(data, keys)
}

// has reports whether there is a value, and no null.
func (b *budget) has(data any, keys ...any) (bool, error) {
	value, err := looked(b, data, keys)
	return err == nil && value != nil, b.take(1)
}

// optional is a value, or an empty text where there is none, or null.
func (b *budget) optional(data any, keys ...any) (any, error) {
	value, err := looked(b, data, keys)
	if err != nil || value == nil {
		value = ""
	}
	return value, b.take(1)
}

func (b *budget) length(value any) (int, error) {
	switch v := value.(type) {
	case map[string]any:
		return len(v), b.take(1)
	case []any:
		return len(v), b.take(1)
	case string:
		return utf8.RuneCountInString(v), b.bytes(len(v))
	}
	return 0, valuef("%s has no length", kindOf(value))
}

// truncate cuts a text to n characters, the last of them … where it was longer.
func (b *budget) truncate(n int, value any) (string, error) {
	text, ok := scalar(value)
	if !ok || n < 1 {
		return "", valuef("truncate takes a number from 1, and a text")
	}
	if err := b.bytes(len(text)); err != nil || utf8.RuneCountInString(text) <= n {
		return text, err
	}
	return string([]rune(text)[:n-1]) + "…", nil
}

// join is the entries of an array in one text.
func (b *budget) join(between string, value any) (string, error) {
	all, ok := value.([]any)
	if !ok {
		return "", valuef("%s can't be joined", kindOf(value))
	}
	var out strings.Builder
	for i, one := range all {
		text, ok := scalar(one)
		if !ok {
			return "", valuef("%s can't be joined, of entry %d of an array", kindOf(one), i)
		}
		if err := b.bytes(len(between) + len(text)); err != nil {
			return "", err
		}
		if i > 0 {
			out.WriteString(between)
		}
		out.WriteString(text)
	}
	return out.String(), nil
}
