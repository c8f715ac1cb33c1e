package sqlite

import (
	"testing"
	"time"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/suppression"
)

func TestSuppressions(t *testing.T) {
	t.Parallel()
	storetest.TestSuppressions(t, NewSuppressions(inMemory(t)))
}

// TestLiftingsExpire: what is on the list stays, and what was lifted is forgotten when
// no report is as late.
func TestLiftingsExpire(t *testing.T) {
	t.Parallel()
	for after, late := range map[time.Duration]bool{suppression.Retention: false, suppression.Retention + 2*time.Second: true} {
		store := NewSuppressions(inMemory(t))
		var all []suppression.Entry
		for _, address := range []string{"stays@acme.test", "lifted@acme.test"} {
			e, err := suppression.New("acme", channel.Email, address, suppression.Bounce, due)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := store.AddSuppression(t.Context(), e); err != nil {
				t.Fatal(err)
			}
			all = append(all, e)
		}
		lifted := due.Add(time.Hour)
		if _, err := store.LiftSuppression(t.Context(), suppression.Lifting{Key: all[1].Key(), At: lifted}); err != nil {
			t.Fatal(err)
		}
		if err := store.Expire(t.Context(), lifted.Add(after)); err != nil {
			t.Fatal(err)
		}
		if left, err := store.Suppressed(t.Context(), []suppression.Key{all[0].Key()}); err != nil || len(left) != 1 {
			t.Errorf("%v after: %v, %v", after, left, err)
		}
		if added, err := store.AddSuppression(t.Context(), all[1]); err != nil || added != late {
			t.Errorf("a report that is late %v after: %v, %v", after, added, err)
		}
	}
}
