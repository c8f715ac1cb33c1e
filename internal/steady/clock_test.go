package steady

import (
	"testing"
	"time"
)

// machine is a clock that can be set.
type machine struct{ now reading }

func (m *machine) pass(d time.Duration) { m.now.day, m.now.passed = m.now.day.Add(d), m.now.passed+d }
func (m *machine) set(d time.Duration)  { m.now.day = m.now.day.Add(d) }

var start = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func TestClock(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happens func(m *machine, look func())
		want    time.Duration // since the start
	}{
		"nothing":                              {func(m *machine, _ func()) {}, 0},
		"time passes":                          {func(m *machine, _ func()) { m.pass(time.Hour) }, time.Hour},
		"it is set back":                       {func(m *machine, _ func()) { m.set(-time.Hour) }, 0},
		"it is set back while a minute passes": {func(m *machine, _ func()) { m.set(-time.Hour); m.pass(time.Minute) }, 54 * time.Second},
		"and a minute later": {func(m *machine, look func()) { m.set(-time.Hour); look(); m.pass(time.Minute) },
			54 * time.Second},
		"until it has caught up": {func(m *machine, look func()) { m.set(-time.Hour); look(); m.pass(11 * time.Hour) }, 10 * time.Hour},
		"it is set ahead":        {func(m *machine, _ func()) { m.set(time.Hour) }, time.Hour},
		"it is set ahead and back": {func(m *machine, look func()) { m.set(time.Hour); look(); m.set(-time.Hour) },
			time.Hour},
		"it is set back and right again": {func(m *machine, look func()) { m.set(-time.Hour); look(); m.set(time.Hour) }, 0},
		"it is set back twice":           {func(m *machine, look func()) { m.set(-time.Hour); look(); m.set(-time.Hour) }, 0},
		"it is corrected":                {func(m *machine, look func()) { m.set(-tolerance); look(); m.pass(time.Hour) }, time.Hour - tolerance},
		"the machine slept":              {func(m *machine, _ func()) { m.pass(time.Minute); m.set(8 * time.Hour) }, 8*time.Hour + time.Minute},
	} {
		m := &machine{reading{day: start}}
		clock := newClock(func() reading { return m.now })
		c.happens(m, func() { clock.Now() })
		if got := clock.Since(start); got != c.want {
			t.Errorf("%s: %s after the start, want %s", name, got, c.want)
		}
		if got := clock.Until(start.Add(c.want)); got != 0 {
			t.Errorf("%s: it is %s until then", name, got)
		}
	}
}

func TestTheMachines(t *testing.T) {
	t.Parallel()
	c := New()
	if before := time.Now(); c.Now().Before(before.Round(0).Add(-tolerance)) || c.Now().After(time.Now().Add(tolerance)) {
		t.Errorf("it is %s, and the machine's is %s", c.Now(), before)
	}
}
