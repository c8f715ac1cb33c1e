package endpoint

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/message"
)

// kept are the fields that no patch changes. They may stand in one as they are, so
// that what was read can be sent back.
var kept = []string{"id", "tenant", "state_reason", "state_since", "verified", "verified_origin", "key_rotated", "created", "updated"}

// Patch is an endpoint with a JSON merge patch applied (RFC 7396): what is null in it
// is taken away, objects are merged, all else is replaced. A version in it must be the
// endpoint's: ErrChanged. Other errors are a *message.FieldError, or say that the
// patch is no object. The result is not checked.
func (e Endpoint) Patch(patch jsontext.Value) (Endpoint, error) {
	var fields map[string]jsontext.Value
	if err := json.Unmarshal(patch, &fields); err != nil || fields == nil {
		return e, fmt.Errorf("the patch must be a JSON object that has each name once%s", where(err))
	}
	for _, name := range []string{"state_since", "created", "updated"} {
		if v, ok := fields[name]; ok && json.Unmarshal(v, new(time.Time)) != nil {
			return e, &message.FieldError{Field: name, Problem: "can't be changed"}
		}
	}
	if v, ok := fields["version"]; ok {
		var meant int64
		if json.Unmarshal(v, &meant) != nil || meant < 1 {
			return e, &message.FieldError{Field: "version", Problem: "must be a number from 1 on"}
		}
		if meant != e.Version {
			return e, ErrChanged
		}
	}
	before, err := json.Marshal(e)
	if err != nil {
		return e, err
	}
	var was map[string]jsontext.Value
	if err := json.Unmarshal(before, &was); err != nil {
		return e, err
	}
	for _, name := range kept {
		if v, ok := fields[name]; ok && !sameValue(v, was[name]) {
			return e, &message.FieldError{Field: name, Problem: "can't be changed"}
		}
	}
	merged, err := merge(before, patch)
	if err != nil {
		return e, err
	}
	after, err := Read(merged)
	if err != nil {
		return e, err
	}
	// Times were read from their text.
	after.Since, after.Created, after.Updated, after.Rotated = e.Since, e.Created, e.Updated, e.Rotated
	if after.Verified = e.Verified; after.URL != e.URL { // nobody has said anything there
		after.Verified, after.VerifiedOrigin = time.Time{}, ""
	}
	return after, nil
}

// Read reads an endpoint from JSON. Its error is a *message.FieldError where a field is
// wrong. What is empty is left out, so that {} in a map is as good as nothing.
func Read(text jsontext.Value) (e Endpoint, err error) {
	if text.Kind() != '{' {
		return e, errors.New("it must be a JSON object")
	}
	if err := json.Unmarshal(text, &e, json.RejectUnknownMembers(true)); err != nil {
		var semantic *json.SemanticError
		switch {
		case errors.As(err, &semantic) && errors.Is(err, json.ErrUnknownName):
			return e, &message.FieldError{Field: semantic.JSONPointer.LastToken(), Problem: "is unknown"}
		case errors.As(err, &semantic) && semantic.JSONPointer != "":
			return e, &message.FieldError{Field: first(semantic.JSONPointer), Problem: "is of the wrong type or form"}
		}
		return e, fmt.Errorf("it must be a JSON object that has each name once%s", where(err))
	}
	for _, m := range []*map[string]string{&e.Headers, &e.Auth, &e.Labels} {
		if len(*m) == 0 {
			*m = nil
		}
	}
	if f := bytes.TrimSpace(e.Filter); string(f) == "null" || string(f) == "{}" {
		e.Filter = nil
	}
	return e, nil
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
