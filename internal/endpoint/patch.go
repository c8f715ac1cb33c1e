package endpoint

import (
	"bytes"
	"errors"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/mergepatch"
)

// kept are the fields that no patch changes. They may stand in one as they are, so
// that what was read can be sent back.
var kept = []string{"id", "tenant", "state_reason", "state_since", "verified", "verified_origin", "key_rotated", "created", "updated"}

// Patch is an endpoint with a JSON merge patch applied, as mergepatch.Apply has it. A
// version in it must be the endpoint's: ErrChanged. The result is not checked.
func (e Endpoint) Patch(patch jsontext.Value) (Endpoint, error) {
	merged, err := mergepatch.Apply(e, e.Version, patch, kept)
	switch {
	case errors.Is(err, mergepatch.ErrVersion):
		return e, ErrChanged
	case err != nil:
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
	if err := mergepatch.Read(text, &e); err != nil {
		return e, err
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
