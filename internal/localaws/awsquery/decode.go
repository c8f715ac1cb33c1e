package awsquery

import (
	"encoding/base64"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// decode fills in the struct that in points to.
func (n *node) decode(in any) error {
	return decodeStruct(reflect.ValueOf(in).Elem(), n, "")
}

func decode(v reflect.Value, n *node, name string) error {
	switch {
	case v.Kind() == reflect.Struct:
		return decodeStruct(v, n, name+".")
	case v.Kind() == reflect.Map:
		return decodeMap(v, n, name)
	case isList(v.Type()):
		return decodeList(v, n, name)
	case !n.given: // it is only the beginning of a name that is not known
		return nil
	case v.Kind() == reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		return decodeScalar(v.Elem(), n.value, name)
	}
	return decodeScalar(v, n.value, name)
}

func decodeStruct(v reflect.Value, n *node, prefix string) error {
	for _, f := range fields(v.Type()) {
		if m := n.members[f.name]; m != nil {
			if err := decode(reach(v, f.index), m, prefix+f.name); err != nil {
				return err
			}
		}
	}
	return nil
}

// reach is a field of v, which may be in a struct that v embeds by pointer.
func reach(v reflect.Value, index []int) reflect.Value {
	for _, i := range index {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v
}

func decodeList(v reflect.Value, n *node, name string) error {
	elements := n.elements(name)
	if len(elements) == 0 && n.value != "" {
		elements = []element{{node: n, name: name}} // a list of one needs no number
	}
	if len(elements) == 0 {
		return nil // older SDKs send an empty list as an empty value
	}
	list := reflect.MakeSlice(v.Type(), len(elements), len(elements))
	for i, e := range elements {
		if err := decode(list.Index(i), e.node, e.name); err != nil {
			return err
		}
	}
	v.Set(list)
	return nil
}

func decodeMap(v reflect.Value, n *node, name string) error {
	key := keyName(name[strings.LastIndexByte(name, '.')+1:])
	elements := n.elements(name)
	if len(elements) == 0 && n.members[key] != nil {
		elements = []element{{node: n, name: name}}
	}
	if len(elements) == 0 {
		return nil
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(elements)))
	for _, e := range elements {
		if err := decodeEntry(v, e, key); err != nil {
			return err
		}
	}
	return nil
}

func decodeEntry(v reflect.Value, e element, key string) error {
	k, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
	for _, part := range []struct {
		name string
		v    reflect.Value
	}{{key, k}, {"Value", value}} {
		name := e.name + "." + part.name
		n := e.members[part.name]
		if n == nil {
			return missing(name)
		}
		if err := decode(part.v, n, name); err != nil {
			return err
		}
	}
	if v.MapIndex(k).IsValid() {
		return invalid(e.name+"."+key, "The same name was given before.")
	}
	v.SetMapIndex(k, value)
	return nil
}

func decodeScalar(v reflect.Value, value, name string) error {
	switch {
	case v.Kind() == reflect.String:
		if !utf8.ValidString(value) {
			return invalid(name, "Must be UTF-8.")
		}
		v.SetString(value)
	case v.CanInt():
		n, err := strconv.ParseInt(value, 10, v.Type().Bits())
		if err != nil {
			return invalid(name, "Must be an integer.")
		}
		v.SetInt(n)
	case isBlob(v.Type()):
		b, err := base64.StdEncoding.DecodeString(value)
		if err != nil {
			return invalid(name, "Must be base64.")
		}
		v.SetBytes(b)
	default:
		return fmt.Errorf("parameter %s: this protocol has no form for %s", name, v.Type())
	}
	return nil
}
