package render

import (
	"strings"
	"time"
	_ "time/tzdata" // provided.al2023 has no zones, and other machines have their own version of them
)

const (
	maxLayout = 100 // bytes
	maxZone   = 64
	// zoneSteps are those of finding a zone, which is read anew each time.
	zoneSteps = 200
)

// date is a time as a layout of Go's package time has it. It is shown in a zone of IANA's
// time zone database, or else as it was said: in its own zone, or in UTC where it has
// none. A day is the same in all of them.
func (b *budget) date(layout string, value any, zone ...any) (string, error) {
	if len(layout) > maxLayout {
		return "", valuef("date takes a layout of at most %d bytes", maxLayout)
	}
	in, err := b.zone(zone)
	if err != nil {
		return "", err
	}
	shown := func(at time.Time) (string, error) {
		if in != nil {
			at = at.In(in)
		}
		return at.Format(layout), b.take(4)
	}
	if seconds, ok := asInt(value); ok {
		return shown(time.Unix(int64(seconds), 0).UTC())
	}
	text, _ := value.(string)
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return shown(at)
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.Format(layout), b.take(4)
	}
	return "", valuef(`date takes a time as in RFC 3339 ("2026-07-31T12:00:00Z"), a day ("2026-07-31"), or seconds since 1970`)
}

// zone is the one that is named; nil where none is. The machine's own is no zone of
// anybody's who is written to.
func (b *budget) zone(named []any) (*time.Location, error) {
	if len(named) == 0 {
		return nil, nil
	}
	wrong := valuef(`date takes a layout, a time, and one zone by its IANA name, such as "Europe/Stockholm"`)
	name, ok := named[0].(string)
	if !ok || len(named) > 1 || name == "" || len(name) > maxZone || strings.EqualFold(name, "local") {
		return nil, wrong
	}
	if err := b.take(zoneSteps); err != nil {
		return nil, err
	}
	in, err := time.LoadLocation(name)
	if err != nil { // which may name files
		return nil, wrong
	}
	return in, nil
}
