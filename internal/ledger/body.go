package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// MaxEntry is the most bytes of an entry. Its base64 still fits a line of 64
// KiB, which readers of proof files stop at.
const MaxEntry = 48_000

var (
	// ErrMalformed: a text is no audit message, and never will be.
	ErrMalformed = errors.New("not an audit message")
	// ErrVersion: an audit message is of a version that this program does not
	// know. A newer one may.
	ErrVersion = errors.New("an audit message of another version")
)

// ParseMessage reads the body of an audit message, {"v":1,"entries":[…]}, and
// returns its entries as they stand there. They are parts of body.
//
// Errors: ErrVersion, or ErrMalformed: other members, no entry, one of more
// than MaxEntry bytes, one that is not canonical (RFC 8785) or lacks a member
// that each has.
func ParseMessage(body []byte) (entries [][]byte, err error) {
	d := jsontext.NewDecoder(bytes.NewReader(body))
	entries, err = readMessage(d)
	if err == nil {
		if _, more := d.ReadToken(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows it")
		}
	}
	if err != nil && !errors.Is(err, ErrVersion) {
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if err != nil {
		return nil, err
	}
	return entries, nil
}

func readMessage(d *jsontext.Decoder) (entries [][]byte, err error) {
	version := ""
	if err := expect(d, '{'); err != nil {
		return nil, err
	}
	for d.PeekKind() == '"' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		switch name.String() {
		case "v":
			v, err := d.ReadValue()
			if err != nil {
				return nil, err
			}
			if version = string(v); version != "1" {
				return nil, fmt.Errorf("its v is %.20s: %w", version, ErrVersion)
			}
		case "entries":
			if entries, err = readEntries(d); err != nil {
				return nil, err
			}
		default:
			return nil, fmt.Errorf("it has a member %.40q", name.String())
		}
	}
	if err := expect(d, '}'); err != nil {
		return nil, err
	}
	if version == "" || len(entries) == 0 {
		return nil, errors.New("it lacks v, or entries")
	}
	return entries, nil
}

func expect(d *jsontext.Decoder, kind jsontext.Kind) error {
	t, err := d.ReadToken()
	if err == nil && t.Kind() != kind {
		err = fmt.Errorf("it has %q where %q belongs", t.Kind(), kind)
	}
	return err
}

func readEntries(d *jsontext.Decoder) (entries [][]byte, err error) {
	if err := expect(d, '['); err != nil {
		return nil, err
	}
	for d.PeekKind() != ']' {
		v, err := d.ReadValue()
		if err != nil {
			return nil, err
		}
		if err := checkEntry(v); err != nil {
			return nil, fmt.Errorf("entry %d: %w", len(entries), err)
		}
		entries = append(entries, slices.Clone(v))
	}
	return entries, expect(d, ']')
}

// checkEntry holds an entry against what every entry is.
func checkEntry(v jsontext.Value) error {
	if len(v) > MaxEntry {
		return fmt.Errorf("it has %d bytes, more than %d", len(v), MaxEntry)
	}
	if _, err := ParseEntry(v); err != nil {
		return err
	}
	canonical := v.Clone()
	if err := canonical.Canonicalize(); err != nil {
		return err
	}
	if !bytes.Equal(canonical, v) {
		return errors.New("it is not canonical (RFC 8785)")
	}
	return nil
}

// Line is what every entry of a ledger says; members that later versions add
// are left aside.
type Line struct {
	Action         string   `json:"action"`
	Actor          string   `json:"actor"`
	Attempt        int      `json:"attempt"`
	FailedChannels []string `json:"failed_channels"`
	ID             string   `json:"id"`
	MessageID      string   `json:"message_id"`
	Resource       string   `json:"resource"`
	Tenant         string   `json:"tenant"`
	Timestamp      string   `json:"timestamp"`
	WebhookID      string   `json:"webhook_id"`
}

// ParseEntry reads an entry. Action, id and timestamp are in
// every one.
func ParseEntry(b []byte) (l Line, err error) {
	if err := json.Unmarshal(b, &l); err != nil {
		return l, fmt.Errorf("it is no entry: %w", err)
	}
	if l.Action == "" || l.ID == "" || l.Timestamp == "" {
		return l, errors.New("it lacks action, id or timestamp")
	}
	return l, nil
}
