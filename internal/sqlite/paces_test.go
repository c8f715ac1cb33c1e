package sqlite

import (
	"testing"
	"time"

	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/storetest"
)

func TestPaces(t *testing.T) {
	t.Parallel()
	storetest.TestPaces(t, NewPaces(inMemory(t)))
}

// TestPacesExpire: what was at rest for a day, and nothing else.
func TestPacesExpire(t *testing.T) {
	t.Parallel()
	for after, stays := range map[time.Duration]bool{24 * time.Hour: true, 24*time.Hour + 2*time.Second: false} {
		store := NewPaces(inMemory(t))
		a := pace.Ask{Key: "k", Rate: pace.Rate{Interval: time.Second}, Now: due, Wishes: []pace.Wish{{}}, Patience: time.Second}
		now, _, err := store.Take(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.Expire(t.Context(), now.Rest().Add(after)); err != nil {
			t.Fatal(err)
		}
		if left, err := store.Paces(t.Context(), []string{"k"}); err != nil || len(left) == 1 != stays {
			t.Errorf("%v after it came to rest: %+v, %v", after, left, err)
		}
	}
}
