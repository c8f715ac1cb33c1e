package api

import (
	"encoding/base64"

	"github.com/go-json-experiment/json"
)

// Opaque is a cursor as a text that means nothing to clients.
func Opaque(cursor any) string {
	b, err := json.Marshal(cursor)
	if err != nil {
		return "" // it can't be: there is nothing in it that JSON has not
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// ReadOpaque reads into a cursor what Opaque wrote, and reports whether it could.
func ReadOpaque(text string, cursor any) bool {
	b, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && json.Unmarshal(b, cursor) == nil
}
