package sqlite

import (
	"testing"
	"time"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/storetest"
)

func TestCircuits(t *testing.T) {
	t.Parallel()
	storetest.TestCircuits(t, NewCircuits(inMemory(t)))
}

// TestCircuitsExpire: a closed circuit a day after its last change, an open one
// never.
func TestCircuitsExpire(t *testing.T) {
	t.Parallel()
	const open, closed = circuit.Open, circuit.Closed
	for name, c := range map[string]struct {
		phases []circuit.Phase // an hour apart
		after  time.Duration   // the last of them
		stays  bool
	}{
		"closed, just before":    {[]circuit.Phase{closed}, 24 * time.Hour, true},
		"closed, just after":     {[]circuit.Phase{closed}, 24*time.Hour + time.Second, false},
		"of no phase":            {[]circuit.Phase{""}, 24*time.Hour + time.Second, false},
		"changed":                {[]circuit.Phase{closed, closed}, 24 * time.Hour, true},
		"open":                   {[]circuit.Phase{open}, 9000 * time.Hour, true},
		"opened":                 {[]circuit.Phase{closed, open}, 9000 * time.Hour, true},
		"closed again, and then": {[]circuit.Phase{open, closed}, 24*time.Hour + time.Second, false},
	} {
		s, now := circuit.State{Name: circuit.Name{Scope: circuit.Host, URL: "https://a.test"}}, due
		store := NewCircuits(inMemory(t))
		store.Now = func() time.Time { return now }
		for _, s.Phase = range c.phases {
			now = now.Add(time.Hour)
			s.Version++
			if _, err := store.PutCircuit(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		if err := store.Expire(t.Context(), now.Add(c.after)); err != nil {
			t.Fatal(err)
		}
		if left, err := store.Circuits(t.Context(), []circuit.Name{s.Name}); err != nil || len(left) == 1 != c.stays {
			t.Errorf("%s: %+v, %v", name, left, err)
		}
	}
}
