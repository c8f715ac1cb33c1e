package replay

import (
	"encoding/base64"

	"github.com/go-json-experiment/json"
)

// opaque is a cursor as a text that means nothing to clients.
func opaque(cursor any) string {
	b, err := json.Marshal(cursor)
	if err != nil {
		return "" // it can't be: there is nothing in it that JSON has not
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// readOpaque reads into a cursor what opaque wrote, and reports whether it could.
func readOpaque(text string, cursor any) bool {
	b, err := base64.RawURLEncoding.DecodeString(text)
	return err == nil && json.Unmarshal(b, cursor) == nil
}
