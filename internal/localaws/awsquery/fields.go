package awsquery

import (
	"reflect"
	"strings"
	"sync"

	"github.com/aws/smithy-go/middleware"
)

// field is one of a struct's, with its name in requests and answers.
type field struct {
	name  string
	index []int
}

var known sync.Map // []field by reflect.Type

// fields are those of a struct that go over the wire, embedded ones too.
func fields(t reflect.Type) []field {
	if list, ok := known.Load(t); ok {
		return list.([]field)
	}
	var list []field
	for _, f := range reflect.VisibleFields(t) {
		if !f.Anonymous && f.IsExported() && f.Type != reflect.TypeFor[middleware.Metadata]() {
			list = append(list, field{wireName(f), f.Index})
		}
	}
	known.Store(t, list)
	return list
}

// wireName is the name that SQS's model gives a field (API version
// 2012-11-05): a list is named after the struct that it is of, or else, as a
// map is, in the singular. AddPermission's Actions are the exception.
func wireName(f reflect.StructField) string {
	switch {
	case f.Name == "Actions":
		return "ActionName"
	case isList(f.Type) && f.Type.Elem().Kind() == reflect.Struct:
		return structName(f.Type.Elem())
	case isList(f.Type), f.Type.Kind() == reflect.Map:
		return strings.TrimSuffix(f.Name, "s")
	}
	return f.Name
}

// structName is that of the struct that t extends, if t has none.
func structName(t reflect.Type) string {
	if t.Name() == "" && t.NumField() > 0 && t.Field(0).Anonymous {
		return structName(t.Field(0).Type)
	}
	return t.Name()
}

// keyName is what the key of a map's entry is called. The value is Value.
func keyName(mapName string) string {
	if mapName == "Tag" {
		return "Key"
	}
	return "Name"
}

func isList(t reflect.Type) bool { return t.Kind() == reflect.Slice && !isBlob(t) }

func isBlob(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8
}
