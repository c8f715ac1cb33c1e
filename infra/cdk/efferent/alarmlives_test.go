package efferent_test

import (
	"maps"
	"slices"
	"testing"
)

// life is how a metric goes while nothing is done, while all is well, and in a fault
// since so many minutes.
type life struct {
	idle, busy, bad series
	// within is after how many minutes of the fault the alarm must be off at the latest.
	within int
	// glitch is one minute of what is mended by itself, which nobody is to hear of.
	glitch series
}

var (
	none  series = func(int) []float64 { return nil }
	zero         = always(0)
	once         = always(1)
	rises series = func(minute int) []float64 { return []float64{float64(60 * minute)} }
)

func always(v float64) series { return func(int) []float64 { return []float64{v} } }

// every is one value in so many minutes.
func every(minutes int, v float64) series {
	return func(minute int) []float64 {
		if minute%minutes != 0 {
			return nil
		}
		return []float64{v}
	}
}

// lives are those of what each alarm is on.
var lives = func() map[string]life {
	all := map[string]life{
		"AuditAge":       {idle: none, busy: always(5), bad: rises, within: 12},
		"AuditFailures":  {idle: none, busy: zero, bad: once, within: 1},
		"ReportAge":      {idle: none, busy: always(5), bad: rises, within: 17},
		"ReportFailures": {idle: none, busy: zero, bad: once, within: 1},
		"Misconfigured":  {idle: none, busy: none, bad: every(4, 1), within: 1},
		"RoomAge":        {idle: none, busy: none, bad: rises, within: 17},
		"NotReleased":    {idle: once, busy: once, bad: none, within: 6},
		"LedgerUnsigned": {idle: every(5, 1), busy: every(5, 1), bad: none, within: 30},
		"Api5xx":         {idle: none, busy: zero, bad: once, within: 1},
	}
	for _, title := range []string{"Webhook", "Notification", "Event"} {
		maps.Copy(all, map[string]life{
			title + "Age":      {idle: none, busy: always(30), bad: rises, within: 17},
			title + "InFlight": {idle: none, busy: always(500), bad: always(90_000), within: 1},
			title + "Trouble":  {idle: none, busy: none, bad: always(20), within: 7, glitch: once},
			// Tried each quarter of an hour, as what a circuit or trouble holds is.
			title + "Undelivered": {idle: none, busy: always(60), bad: every(15, 50_000), within: 1},
			title + "Failures":    {idle: none, busy: none, bad: once, within: 1},
			title + "Expiring":    {idle: none, busy: always(3600), bad: always(900_000), within: 1},
			title + "Outcomes":    {idle: none, busy: none, bad: once, within: 1},
		})
	}
	for title := range telling {
		all[title+"Untold"] = life{idle: none, busy: none, bad: once, within: 1}
	}
	for _, function := range []string{"Deliver", "Notify", "Release", "Audit", "Fanout"} {
		for _, of := range []string{"Errors", "Throttles"} {
			all[function+of] = life{idle: none, busy: zero, bad: once, within: 7, glitch: once}
		}
	}
	for _, function := range []string{"Checkpoint", "Replay", "Rotate", "Endpoints", "Directory", "Report", "Callback"} {
		for _, of := range []string{"Errors", "Throttles"} {
			all[function+of] = life{idle: none, busy: zero, bad: once, within: 1}
		}
	}
	return all
}()

// TestAlarmsGoOffAndEnd plays each metric as it is in an idle stack, in a busy one, in
// a fault, and after it, to CloudWatch's evaluation: with as few points as it may take,
// and with more of them.
func TestAlarmsGoOffAndEnd(t *testing.T) {
	t.Parallel()
	alarms := alarmsOf(t, rotated)
	if got, want := slices.Sorted(maps.Keys(alarms)), slices.Sorted(maps.Keys(lives)); !slices.Equal(got, want) {
		t.Fatalf("there are the alarms\n%v, and this test knows the lives of\n%v", got, want)
	}
	for name, a := range alarms {
		w, err := readWatch(name, a)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, more := range []int{0, 2} {
			w.lives(t, lives[name], more)
		}
	}
}

const (
	fault  = 5 * 60  // when it begins, in minutes, and
	mended = 10 * 60 // when it ends
	over   = 20 * 60
)

func (w watch) lives(t *testing.T, l life, more int) {
	t.Helper()
	// ends is when what was before has left the evaluation range.
	ends := (w.periods+more)*w.period + 15
	for before, well := range map[string]series{"idle": l.idle, "busy": l.busy} {
		for after, then := range map[string]series{"idle": l.idle, "busy": l.busy} {
			whole := phases(well, l.bad, then)
			for minute := 60; minute < over; minute++ {
				must, may := minute >= fault+l.within && minute < mended, minute >= fault && minute < mended+ends
				if got := w.alarmed(whole, minute, more); got && !may || !got && must {
					t.Errorf("%s, %s before and %s after, %d more periods: in minute %d of the fault %v", w.name, before, after, more,
						minute-fault, got)
					break
				}
			}
		}
		if l.glitch == nil {
			continue
		}
		short := phases(well, well, well)
		glitch := func(minute int) []float64 {
			if minute == fault {
				return l.glitch(0)
			}
			return short(minute)
		}
		for minute := 60; minute < over; minute++ {
			if w.alarmed(glitch, minute, more) {
				t.Errorf("%s, %s: goes off for what happens once", w.name, before)
				break
			}
		}
	}
}

// phases are a metric before, in and after a fault.
func phases(well, bad, then series) series {
	return func(minute int) []float64 {
		switch {
		case minute < fault:
			return well(minute)
		case minute < mended:
			return bad(minute - fault)
		default:
			return then(minute)
		}
	}
}
