// Package message is what the messages of producers have in common: a JSON
// object that is read strictly, with an id and a tenant.
package message

import (
	"bytes"
	"errors"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// ErrMalformed is what every *FieldError unwraps to.
var ErrMalformed = errors.New("malformed message")

// FieldError says which field of a message is wrong, and how. It never holds a
// field's value: that may be a secret, an address or a text.
type FieldError struct {
	// Field is the key as it stands in the message; empty when the message as
	// a whole is wrong.
	Field   string
	Problem string
}

func (e *FieldError) Error() string {
	if e.Field == "" {
		return "message: " + e.Problem
	}
	return "field " + strconv.Quote(e.Field) + ": " + e.Problem
}

// Unwrap returns ErrMalformed.
func (e *FieldError) Unwrap() error { return ErrMalformed }

// Object is a JSON object that is being read.
type Object struct {
	// Decoder reads Data. It must allow what is to be reported by field, such as
	// repeated keys.
	Decoder *jsontext.Decoder
	Data    []byte
	// Required are the fields that the message must have.
	Required []string
	first    *FieldError
}

// Fail notes a problem; the first one counts.
func (o *Object) Fail(field, problem string) {
	if o.first == nil {
		o.first = &FieldError{Field: field, Problem: problem}
	}
}

// Err is the first problem, a *FieldError, or nil. Of what is no message of this
// kind at all, but one in somebody's envelope, it says that instead.
func (o *Object) Err() error {
	if o.first == nil { // a nil *FieldError in an error would not be nil
		return nil
	}
	if what := misplaced(o.Data, o.Required); what != "" {
		return &FieldError{Problem: what}
	}
	return o.first
}

// Read reads all of it. member reads one key and its value; it returns false
// when it can't go on. Read reports whether it came to the object's end, past
// any bad fields.
func (o *Object) Read(member func() bool) bool {
	if kind := o.Decoder.PeekKind(); kind != jsontext.KindBeginObject {
		if err := o.Decoder.SkipValue(); err != nil {
			return o.Syntax("", err)
		}
		o.Fail("", "must be a JSON object, not "+KindName(kind))
		return false
	}
	if _, err := o.Decoder.ReadToken(); err != nil {
		return o.Syntax("", err)
	}
	for o.Decoder.PeekKind() != jsontext.KindEndObject {
		if !member() {
			return false
		}
	}
	if _, err := o.Decoder.ReadToken(); err != nil {
		return o.Syntax("", err)
	}
	if len(bytes.TrimLeft(o.Data[o.Decoder.InputOffset():], " \t\r\n")) > 0 {
		o.Fail("", "has something after the JSON object")
	}
	return true
}

// Syntax notes where the JSON ends being JSON, and returns false. It leaves out
// the library's JSON pointer, which would quote the message.
func (o *Object) Syntax(field string, err error) bool {
	problem := "is not valid JSON"
	if field != "" {
		problem = "not valid JSON"
	}
	var at *jsontext.SyntacticError
	if errors.As(err, &at) {
		problem += " at byte " + strconv.FormatInt(at.ByteOffset, 10) + ": " + strings.TrimPrefix(at.Err.Error(), "jsontext: ")
	} else {
		problem += ": it ends too early"
	}
	o.Fail(field, problem)
	return false
}

// StringOf is a JSON string's text, or else what is wrong with the value.
func StringOf(value jsontext.Value) (text, problem string) {
	if kind := value.Kind(); kind != jsontext.KindString {
		return "", "must be a string, not " + KindName(kind)
	}
	b, err := jsontext.AppendUnquote(nil, value)
	if err != nil { // half a surrogate pair: jsontext would put U+FFFD there
		return "", "is not valid Unicode"
	}
	return string(b), ""
}

// KindName is a kind of JSON value, with its article.
func KindName(kind jsontext.Kind) string {
	switch kind {
	case jsontext.KindNull:
		return "null"
	case jsontext.KindTrue, jsontext.KindFalse:
		return "a boolean"
	case jsontext.KindNumber:
		return "a number"
	case jsontext.KindString:
		return "a string"
	case jsontext.KindBeginObject:
		return "an object"
	case jsontext.KindBeginArray:
		return "an array"
	}
	return "nothing"
}
