package waiting

import (
	"encoding/base64"
	"errors"
	"strings"
)

// ErrCursor says that a text is not one that a Page gave.
var ErrCursor = errors.New("not where a page of the waiting room ended")

// Cursor is where a page ends: with what stands at a position of a place.
func Cursor(place Place, position string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(string(place) + " " + position))
}

// ParseCursor reads what Cursor wrote; both are empty for an empty text, the
// beginning. Error: ErrCursor.
func ParseCursor(text string) (Place, string, error) {
	if text == "" {
		return "", "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(text)
	place, position, _ := strings.Cut(string(b), " ") // no place has one
	if err != nil || place == "" || position == "" {
		return "", "", ErrCursor
	}
	return Place(place), position, nil
}
