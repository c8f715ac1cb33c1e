// Package mergepatch changes what is kept as a JSON object by a JSON merge patch
// (RFC 7396), and reads such objects strictly. What is wrong with a field is told by
// its name, as a *message.FieldError.
package mergepatch

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

// ErrVersion: the patch says that it is for another version than there is.
var ErrVersion = errors.New("the patch is for another version")

// Apply returns the JSON of was with a patch applied: what is null in it is taken away,
// objects are merged, all else is replaced. The fields kept are changed by no patch;
// they may stand in one as they are, so that what was read can be sent back. So may
// version, which must be that of was: ErrVersion. Other errors are a
// *message.FieldError, or say that the patch is no object. The result is not checked.
func Apply(was any, version int64, patch jsontext.Value, kept []string) (jsontext.Value, error) {
	var fields map[string]jsontext.Value
	if err := json.Unmarshal(patch, &fields); err != nil || fields == nil {
		return nil, fmt.Errorf("the patch must be a JSON object that has each name once%s", where(err))
	}
	if err := checkVersion(fields, version); err != nil {
		return nil, err
	}
	before, err := json.Marshal(was)
	if err != nil {
		return nil, err
	}
	var now map[string]jsontext.Value
	if err := json.Unmarshal(before, &now); err != nil {
		return nil, err
	}
	for _, name := range kept {
		if v, ok := fields[name]; ok && !sameValue(v, now[name]) {
			return nil, &message.FieldError{Field: name, Problem: "can't be changed"}
		}
	}
	return merge(before, patch)
}

func checkVersion(fields map[string]jsontext.Value, version int64) error {
	v, ok := fields["version"]
	if !ok {
		return nil
	}
	var meant int64
	switch {
	case json.Unmarshal(v, &meant) != nil || meant < 1:
		return &message.FieldError{Field: "version", Problem: "must be a number from 1 on"}
	case meant != version:
		return ErrVersion
	}
	return nil
}

// Read reads a JSON object of known fields into a struct. Its error is a
// *message.FieldError where a field is wrong.
func Read(text jsontext.Value, into any) error {
	if text.Kind() != jsontext.KindBeginObject {
		return errors.New("it must be a JSON object")
	}
	err := json.Unmarshal(text, into, json.RejectUnknownMembers(true))
	var semantic *json.SemanticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &semantic) && errors.Is(err, json.ErrUnknownName):
		return &message.FieldError{Field: semantic.JSONPointer.LastToken(), Problem: "is unknown"}
	case errors.As(err, &semantic) && semantic.JSONPointer != "":
		return &message.FieldError{Field: first(semantic.JSONPointer), Problem: "is of the wrong type or form"}
	}
	return fmt.Errorf("it must be a JSON object that has each name once%s", where(err))
}

// first is the name of the field that a pointer leads into.
func first(p jsontext.Pointer) string {
	for token := range p.Tokens() {
		return token
	}
	return ""
}

// where says at which byte a text is no JSON.
func where(err error) string {
	var syntactic *jsontext.SyntacticError
	if errors.As(err, &syntactic) {
		return fmt.Sprintf(": %v at byte %d", syntactic.Err, syntactic.ByteOffset)
	}
	return ""
}

// sameValue reports whether two values are the same JSON, written alike or not.
func sameValue(a, b jsontext.Value) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	return len(b) > 0 && a.Canonicalize() == nil && b.Canonicalize() == nil && bytes.Equal(a, b)
}

// merge is MergePatch of RFC 7396, section 2.
func merge(target, patch jsontext.Value) (jsontext.Value, error) {
	if patch.Kind() != '{' {
		return patch, nil
	}
	var changes, merged map[string]jsontext.Value
	if err := json.Unmarshal(patch, &changes); err != nil {
		return nil, fmt.Errorf("the patch must be JSON that has each name once%s", where(err))
	}
	if len(target) > 0 && target.Kind() == '{' {
		if err := json.Unmarshal(target, &merged); err != nil {
			return nil, err
		}
	}
	if merged == nil {
		merged = map[string]jsontext.Value{}
	}
	for name, change := range changes {
		if change.Kind() == 'n' {
			delete(merged, name)
			continue
		}
		value, err := merge(merged[name], change)
		if err != nil {
			return nil, err
		}
		merged[name] = value
	}
	return json.Marshal(merged, json.Deterministic(true))
}
