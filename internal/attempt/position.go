package attempt

import "time"

// Position is a place in the order of failures: by time, and then by SortKey.
// Every failure has one of its own. A store keeps it as text, which sorts as
// positions do; the empty one is before all others.
type Position string

// Position is where the record stands among failures.
func (r Record) Position() Position { return PositionAt(r.At) + Position(r.SortKey()) }

// PositionAt is after all failures before t, and before all others.
func PositionAt(t time.Time) Position {
	return Position(t.UTC().Format(positionTime) + "#")
}

// positionTime has a fixed width, so that it sorts as text.
const positionTime = "2006-01-02T15:04:05.000000000Z"

// Before reports whether p comes before q.
func (p Position) Before(q Position) bool { return p < q }

// Valid reports whether p is one that Position or PositionAt may have given.
func (p Position) Valid() bool {
	if len(p) <= len(positionTime) || p[len(positionTime)] != '#' {
		return false
	}
	_, err := time.Parse(positionTime, string(p[:len(positionTime)]))
	return err == nil
}
