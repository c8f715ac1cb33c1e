// Package need refuses a handler that lacks something: a field of its needs
// that was forgotten in the wiring is found at the start, not by a message.
package need

import (
	"errors"
	"fmt"
	"reflect"
)

// ErrMissing says that a need was not given.
var ErrMissing = errors.New("is not given")

// All looks at the fields of a struct, those of embedded structs too, and
// returns an error that names each one that is nil or 0; it wraps ErrMissing. A
// field with the tag `need:"optional"` may be. Structs and booleans are not
// looked at: their zero values mean something.
func All(needs any) error { return errors.Join(missing(reflect.ValueOf(needs))...) }

func missing(v reflect.Value) (all []error) {
	for i := range v.NumField() {
		field, value := v.Type().Field(i), v.Field(i)
		switch {
		case field.Tag.Get("need") == "optional":
		case field.Anonymous && value.Kind() == reflect.Struct:
			all = append(all, missing(value)...)
		case value.Kind() != reflect.Struct && value.Kind() != reflect.Bool && value.IsZero():
			all = append(all, fmt.Errorf("%s %w", field.Name, ErrMissing))
		}
	}
	return all
}
