package recipient

import (
	"errors"
	"maps"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/mergepatch"
)

// kept are the fields that no patch changes.
var kept = []string{"id", "tenant", "created", "updated"}

// Patch is r with a JSON merge patch applied, as mergepatch.Apply has it. A version in it
// must be r's: ErrChanged. The result is not checked.
func (r Recipient) Patch(patch jsontext.Value) (Recipient, error) {
	merged, err := mergepatch.Apply(r, r.Version, patch, kept)
	switch {
	case errors.Is(err, mergepatch.ErrVersion):
		return r, ErrChanged
	case err != nil:
		return r, err
	}
	after, err := Read(merged)
	if err != nil {
		return r, err
	}
	after.Created, after.Updated = r.Created, r.Updated // they were read from their text
	return after, nil
}

// Read reads a recipient from JSON. Its error is a *message.FieldError where a field is
// wrong. What is empty is left out.
func Read(text jsontext.Value) (r Recipient, err error) {
	if err := mergepatch.Read(text, &r); err != nil {
		return r, err
	}
	maps.DeleteFunc(r.Addresses, func(_ channel.Name, all Addresses) bool { return all == nil }) // null
	if len(r.Addresses) == 0 {
		r.Addresses = nil
	}
	if len(r.Channels) == 0 {
		r.Channels = nil
	}
	if len(r.Topics) == 0 {
		r.Topics = nil
	}
	for pattern, topic := range r.Topics {
		if len(topic.Channels) == 0 {
			topic.Channels = nil
			r.Topics[pattern] = topic
		}
	}
	return r, nil
}
