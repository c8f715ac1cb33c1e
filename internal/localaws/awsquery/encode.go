package awsquery

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/smithy-go"
)

// answer is the XML of a response.
type answer struct{ bytes.Buffer }

func (a *answer) success(namespace, operation string, out any, requestID string) {
	a.WriteString(xml.Header)
	a.open(operation+"Response", namespace)
	if v := reflect.Indirect(reflect.ValueOf(out)); len(fields(v.Type())) > 0 {
		a.element(operation+"Result", v)
	}
	a.open("ResponseMetadata", "")
	a.leaf("RequestId", requestID)
	a.close("ResponseMetadata")
	a.close(operation + "Response")
}

func (a *answer) failure(namespace string, err smithy.APIError, requestID string) {
	a.WriteString(xml.Header)
	a.open("ErrorResponse", namespace)
	a.open("Error", "")
	a.leaf("Type", side(err))
	a.leaf("Code", err.ErrorCode())
	a.leaf("Message", err.ErrorMessage())
	a.WriteString("<Detail/>")
	a.close("Error")
	a.leaf("RequestId", requestID)
	a.close("ErrorResponse")
}

// side is whose fault an error is.
func side(err smithy.APIError) string {
	if err.ErrorFault() == smithy.FaultServer {
		return "Receiver"
	}
	return "Sender"
}

// element writes v. Lists and maps become one element for each of theirs;
// what is nil is left out.
func (a *answer) element(name string, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			a.element(name, v.Elem())
		}
	case v.Kind() == reflect.Struct:
		a.structure(name, v)
	case v.Kind() == reflect.Map:
		a.entries(name, v)
	case isList(v.Type()):
		for i := range v.Len() {
			a.element(name, v.Index(i))
		}
	case isBlob(v.Type()):
		if !v.IsNil() {
			a.leaf(name, base64.StdEncoding.EncodeToString(v.Bytes()))
		}
	case v.Kind() == reflect.String:
		a.leaf(name, v.String())
	default: // a number or a truth
		a.leaf(name, fmt.Sprint(v))
	}
}

// structure writes one without members as AWS does, in one tag.
func (a *answer) structure(name string, v reflect.Value) {
	a.open(name, "")
	empty := a.Len()
	for _, f := range fields(v.Type()) {
		a.element(f.name, v.FieldByIndex(f.index))
	}
	if a.Len() > empty {
		a.close(name)
		return
	}
	a.Truncate(empty - 1)
	a.WriteString("/>")
}

func (a *answer) entries(name string, v reflect.Value) {
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return cmp.Compare(a.String(), b.String()) })
	for _, key := range keys {
		a.open(name, "")
		a.element(keyName(name), key)
		a.element("Value", v.MapIndex(key))
		a.close(name)
	}
}

func (a *answer) open(name, namespace string) {
	a.WriteString("<" + name)
	if namespace != "" {
		a.WriteString(` xmlns="` + namespace + `"`)
	}
	a.WriteByte('>')
}

func (a *answer) close(name string) { a.WriteString("</" + name + ">") }

// leaf writes text. A carriage return is written as a reference, else a
// reader would make it a line feed (XML 1.0, 2.11); characters that XML does
// not have become U+FFFD.
func (a *answer) leaf(name, text string) {
	a.open(name, "")
	_ = xml.EscapeText(a, []byte(text)) // a buffer takes everything
	a.close(name)
}
