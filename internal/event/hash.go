package event

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// RequestHash is that of an event as it was published, in whatever shape: events whose
// JSON is equal have the same. The order of keys, spaces, and how a text or a fraction
// is written make no difference. Integers are compared to their last digit.
func (e Event) RequestHash() (string, error) {
	body := jsontext.Value(slices.Clone(e.Body))
	// RFC 8785, but for integers that a double can't hold.
	err := body.Canonicalize(jsontext.CanonicalizeRawInts(false), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, part := range []string{e.ID, e.Tenant, e.Type} {
		h.Write([]byte(part))
		h.Write([]byte{0})
	}
	h.Write(body)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)), nil
}
