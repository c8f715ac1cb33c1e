package signingkey

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

var errEmpty = errors.New("a key needs a name and a text")

// Put gives a JSON secret's text with one key set, without a history of its own.
// The others stay byte for byte as they are. From no text, "", a secret is made.
// Its error is ErrNotObject, or says what is wrong with what is to be put.
func Put(text, name, key string) (string, error) {
	if name == "" || key == "" {
		return "", errEmpty
	}
	if text == "" {
		text = "{}"
	}
	o, err := Parse(text)
	if err != nil {
		return "", err
	}
	return o.with(name, key)
}

// Rotate gives a JSON secret's text in which the key under a name is a new one,
// and the one that was the current one signs beside it for the grace from now.
// One that was previous until now is gone. With a grace of 0 no key but the new
// one signs: it is kept with a history, an empty one, so that the secret's
// version before does not count for it. Where the new key is the current one
// already, the text is given as it is: a rotation may be repeated.
//
// Errors are ErrNotObject, Object.Key's, and CheckGrace's.
func Rotate(text, name, key string, now time.Time, grace time.Duration) (string, error) {
	if name == "" || key == "" {
		return "", errEmpty
	}
	if err := CheckGrace(grace); err != nil {
		return "", err
	}
	o, err := Parse(text)
	if err != nil {
		return "", err
	}
	last, err := o.Key(name)
	if err != nil {
		return "", fmt.Errorf("nothing to rotate: %w", err)
	}
	if last.Current == key {
		return text, nil
	}
	next := history{Current: key}
	if grace > 0 {
		next.Previous, next.Until = last.Current, now.Add(grace).UTC().Format(time.RFC3339)
	}
	return o.with(name, next)
}

// Remove gives a JSON secret's text without the key under a name, its history
// included. The others stay byte for byte as they are. Errors are ErrNotObject
// and Object.Key's, but that a damaged history goes too.
func Remove(text, name string) (string, error) {
	o, err := Parse(text)
	if err != nil {
		return "", err
	}
	i := o.find(name)
	if i < 0 {
		return "", fmt.Errorf("key %q: %w of this name", name, ErrNoKey)
	}
	start, end := strings.Index(text, "{")+1, o.members[i].end
	switch {
	case i > 0:
		start = o.members[i-1].end // the comma before it goes too
	case len(o.members) > 1:
		end += strings.Index(text[end:], ",") + 1
	}
	return text[:start] + text[end:], nil
}
