package render

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// What a template sees of JSON: map[string]any, []any, string, bool, nil, int64 for
// whole numbers, and decimal for all others. None has a method.

// decimal is a number as it is written. It is a slice so that a zero is false, as a
// template has numbers: text/template takes for false what has no length, and a zero's
// text is behind its length.
type decimal []byte

func newDecimal(text string) decimal {
	d := make(decimal, len(text))
	copy(d, text)
	if isZero(text) {
		return d[:0]
	}
	return d
}

func isZero(number string) bool {
	for i := range len(number) {
		switch c := number[i]; {
		case c == 'e' || c == 'E':
			return true
		case c >= '1' && c <= '9':
			return false
		}
	}
	return true
}

func (d decimal) text() string {
	// The text of all JSON numbers ends in a digit: what make rounded up is zero bytes.
	return string(bytes.TrimRight(d[:cap(d)], "\x00"))
}

var errData = errors.New("data: must be a JSON object with each key once")

// read reads the data of a message.
func read(data jsontext.Value) (map[string]any, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return map[string]any{}, nil
	}
	d := jsontext.NewDecoder(bytes.NewReader(data))
	value, err := readValue(d)
	if err != nil {
		return nil, errData
	}
	if _, err := d.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, errData
	}
	object, ok := value.(map[string]any)
	if !ok {
		return nil, errData
	}
	return object, nil
}

func readValue(d *jsontext.Decoder) (any, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case jsontext.KindString:
		return token.String(), nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return token.Bool(), nil
	case jsontext.KindNumber:
		return readNumber(token.String()), nil
	case jsontext.KindBeginArray:
		return readArray(d)
	case jsontext.KindBeginObject:
		return readObject(d)
	}
	return nil, nil
}

// readNumber gives what prints as text.
func readNumber(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
		return n
	}
	return newDecimal(text)
}

func readArray(d *jsontext.Decoder) (any, error) {
	all := []any{}
	for d.PeekKind() != jsontext.KindEndArray {
		one, err := readValue(d)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	_, err := d.ReadToken()
	return all, err
}

func readObject(d *jsontext.Decoder) (any, error) {
	all := map[string]any{}
	for d.PeekKind() != jsontext.KindEndObject {
		key, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		name := key.String() // before the next read, which ends key's life
		if all[name], err = readValue(d); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return all, err
}
