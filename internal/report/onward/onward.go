// Package onward is a message that a provider took, as it is kept to go on to the next
// channel if it comes back.
package onward

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/waiting"
)

// Message is one that was taken on one channel, as it goes on to the next one if it
// comes back before its deadline.
type Message struct {
	Item waiting.Item `json:"message"`
	// Deadline is until when it goes on.
	Deadline time.Time `json:"deadline"`
	// DespiteOptOut says that it goes on also where the recipient has opted out.
	DespiteOptOut bool `json:"despite_opt_out,omitzero"`
}

// Store keeps them, by the attempt that took them. It is used by many goroutines at
// once.
type Store interface {
	// KeepOnward keeps a message until about then, durably once it returns nil, in the
	// place of any that was kept of that attempt.
	KeepOnward(ctx context.Context, webhookID, sortKey string, message []byte, until time.Time) error
	// Onward returns what was kept before the call; nil where that is nothing, or is
	// past its time.
	Onward(ctx context.Context, webhookID, sortKey string) ([]byte, error)
}

const (
	// maxOnward is how many bytes a kept message has at most: an item of DynamoDB has
	// 400 KB.
	maxOnward = 350 << 10
	// maxUnpacked is more than SQS's 1 MiB is with its attributes as JSON.
	maxUnpacked = 8 << 20
)

// lenient: what producers wrote may not be UTF-8.
var lenient = jsontext.AllowInvalidUTF8(true)

// ErrTooLarge says that a message can't be kept.
var ErrTooLarge = errors.New("it is too large to be kept: over 350 KiB when compressed")

// Pack is the message as it is kept.
func (m Message) Pack() ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err == nil {
		err = json.MarshalWrite(w, m, lenient)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		return nil, fmt.Errorf("keep a message: %w", err)
	}
	if b.Len() > maxOnward {
		return nil, ErrTooLarge
	}
	return b.Bytes(), nil
}

// Unpack reads what Pack wrote.
func Unpack(packed []byte) (m Message, err error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		err = json.UnmarshalRead(io.LimitReader(r, maxUnpacked), &m, lenient)
	}
	if err != nil {
		return m, fmt.Errorf("a kept message can't be read: %w", err)
	}
	return m, nil
}
