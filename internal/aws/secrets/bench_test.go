package awssecrets

import (
	"testing"
	"time"
)

// BenchmarkKeysCached is what every webhook pays for its keys.
func BenchmarkKeysCached(b *testing.B) {
	s := &Signing{API: &manager{out: text("v1", "topsecret")}, Now: time.Now}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Keys(b.Context(), "efferent/webhooks/acme", time.Time{}); err != nil {
			b.Fatal(err)
		}
	}
}
