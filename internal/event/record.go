package event

import (
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// Record is what is kept of an event: who gets it, and what they get.
type Record struct {
	Tenant string `json:"tenant"`
	// ID is the webhook-id, Type and Body are the event's.
	ID   string `json:"id"`
	Type string `json:"event_type"`
	// Body is nil where it was too long to be kept: see MaxKept.
	Body []byte `json:"body,omitzero"`
	// Hash tells events of one id apart: see HashOf.
	Hash string `json:"hash"`
	// At is when it was first received.
	At time.Time `json:"at"`
	// Recipients are the ids of the endpoints that get it.
	Recipients []string `json:"recipients"`
}

// MaxKept is how many bytes of a body are kept, as they are kept, compressed
// perhaps: an item of DynamoDB holds 400 KB.
const MaxKept = 300 << 10

// HashOf is that of an event's type and body.
func HashOf(eventType string, body []byte) string {
	h := sha256.New()
	h.Write([]byte(eventType))
	h.Write([]byte{0})
	h.Write(body)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

// Place is where records are kept together: those of a tenant's events of one hour.
func (r Record) Place() string { return PlaceOf(r.Tenant, r.At) }

// PlaceOf is the place of a tenant's events that were received at a time.
func PlaceOf(tenant string, at time.Time) string {
	return tenant + "#" + at.UTC().Format("2006-01-02T15")
}

// Key is unique within a place: an id may be that of several events.
func (r Record) Key() string { return r.ID + "#" + r.Hash }
