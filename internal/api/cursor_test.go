package api_test

import (
	"testing"
	"time"

	"github.com/efferent/efferent/internal/api"
)

// FuzzOpaque: whatever a client sends as a cursor breaks nothing, and what is read of it
// is what would be written of that.
func FuzzOpaque(f *testing.F) {
	type place struct {
		At    time.Time
		ID    string
		Shard int
	}
	f.Add(api.Opaque(place{time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), "evt_1", 3}))
	f.Add(api.Opaque("email-00"))
	f.Fuzz(func(t *testing.T, text string) {
		var p, again place
		if api.ReadOpaque(text, &p) {
			written := api.Opaque(p) // empty for a time that RFC 3339 can't have
			if written != "" && (!api.ReadOpaque(written, &again) || !again.At.Equal(p.At) || again.ID != p.ID || again.Shard != p.Shard) {
				t.Errorf("%q is read as %+v, and then as %+v", text, p, again)
			}
		}
		var name, same string
		if api.ReadOpaque(text, &name) && (!api.ReadOpaque(api.Opaque(name), &same) || same != name) {
			t.Errorf("%q is read as %q, and then as %q", text, name, same)
		}
	})
}
