package metric

import "slices"

// Labels are the values of an event's dimensions, beside Function. Those that it has
// none of are empty.
type Labels struct{ Verdict, Reason, Channel, Action, Phase, Outcome, Tenant string }

// Of is the value of a dimension.
func (l Labels) Of(dimension string) string {
	switch dimension {
	case Verdict:
		return l.Verdict
	case Reason:
		return l.Reason
	case Channel:
		return l.Channel
	case Action:
		return l.Action
	case Phase:
		return l.Phase
	case Outcome:
		return l.Outcome
	case Tenant:
		return l.Tenant
	}
	return ""
}

// with is l with another value of a dimension.
func (l Labels) with(dimension, value string) Labels {
	switch dimension {
	case Verdict:
		l.Verdict = value
	case Reason:
		l.Reason = value
	case Channel:
		l.Channel = value
	case Action:
		l.Action = value
	case Phase:
		l.Phase = value
	case Outcome:
		l.Outcome = value
	}
	return l
}

// Event is something that happened: a count, or a value that was measured in the
// metric's unit. It may have labels that its metric is not told apart by: events with
// the same ones are written as one.
type Event struct {
	Name  string
	Value float64
	Labels
}

// Recorder takes events in. It is used by many goroutines at once.
type Recorder interface {
	// Record takes in what has happened since the last call, all of it in one go. It
	// must not block on others, and has no error: a metric that can't be written is no
	// reason to fail what it counts. A value that a dimension does not have is
	// Other there, and an event of no known name is left out.
	Record(events []Event)
}

// To records events, if there is somebody who wants them.
func To(r Recorder, events ...Event) {
	if r != nil && len(events) > 0 {
		r.Record(events)
	}
}

// Sets are the dimensions, Function among them, that an event with such labels is
// written under: those of which it has a value.
func (d *Definition) Sets(l Labels) [][]string {
	sets := [][]string{{Function}}
	for _, set := range d.By {
		if !slices.ContainsFunc(set, func(dimension string) bool { return l.Of(dimension) == "" }) {
			sets = append(sets, append([]string{Function}, set...))
		}
	}
	return sets
}

// Known is l with Other for each value that the metric's dimensions do not have: so
// there are never more of them than are known. Of tenants Tenants has seen to that.
func (d *Definition) Known(l Labels) Labels {
	for _, dimension := range d.Dimensions() {
		if value := l.Of(dimension); value != "" && dimension != Tenant && !slices.Contains(values[d.Name][dimension], value) {
			l = l.with(dimension, Other)
		}
	}
	return l
}

// Dimensions are all that a metric may be told apart by, beside Function.
func (d *Definition) Dimensions() (all []string) {
	for _, set := range d.By {
		for _, dimension := range set {
			if !slices.Contains(all, dimension) {
				all = append(all, dimension)
			}
		}
	}
	return all
}
