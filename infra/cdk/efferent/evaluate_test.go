package efferent_test

import (
	"fmt"
	"testing"
)

// watch is an alarm of the template, as CloudWatch evaluates it.
type watch struct {
	name             string
	statistic        string
	period           int // minutes
	periods, needed  int
	threshold        float64
	below            bool
	missingBreaching bool
}

func readWatch(name string, a object) (w watch, err error) {
	number := func(key string) int {
		n, _ := a[key].(float64)
		return int(n)
	}
	w = watch{name: name, statistic: text(a["Statistic"]), period: number("Period") / 60, periods: number("EvaluationPeriods"),
		needed: number("DatapointsToAlarm"), below: a["ComparisonOperator"] == "LessThanThreshold",
		missingBreaching: a["TreatMissingData"] == "breaching"}
	w.threshold, _ = a["Threshold"].(float64)
	if w.needed == 0 {
		w.needed = w.periods
	}
	if w.period < 1 || w.periods < 1 || !w.below && a["ComparisonOperator"] != "GreaterThanThreshold" ||
		!w.missingBreaching && a["TreatMissingData"] != "notBreaching" || w.statistic != "Sum" && w.statistic != "Maximum" {
		return w, fmt.Errorf("%s is evaluated in a way that this test does not know: %v", name, a)
	}
	return w, nil
}

// series are a metric's values in each minute; none where nothing was reported.
type series func(minute int) []float64

// point is a period's value, by the alarm's statistic; false where there is none.
func (w watch) point(of series, begins int) (value float64, ok bool) {
	for minute := begins; minute < begins+w.period; minute++ {
		for _, v := range of(minute) {
			switch {
			case !ok || w.statistic == "Maximum" && v > value:
				value = v
			case w.statistic == "Sum":
				value += v
			}
			ok = true
		}
	}
	return value, ok
}

// alarmed is the state at the end of a minute ("Configuring how CloudWatch alarms treat
// missing data"): of the evaluation range, which has more periods than are evaluated, by
// so many as AWS does not tell, the newest points that there are; and where these are
// too few, as many missing ones as it takes.
func (w watch) alarmed(of series, minute, more int) bool {
	found, breaching := 0, 0
	for i := range w.periods + more {
		value, ok := w.point(of, minute+1-(i+1)*w.period)
		if !ok || found == w.periods {
			continue
		}
		found++
		if w.below && value < w.threshold || !w.below && value > w.threshold {
			breaching++
		}
	}
	if w.missingBreaching {
		breaching += w.periods - found
	}
	return breaching >= w.needed
}

// TestEvaluation: as the table of AWS's page has it, newest last, three periods of a
// range of five.
func TestEvaluation(t *testing.T) {
	t.Parallel()
	for points, want := range map[string][2]bool{ // missing is breaching, or is not
		"0-X-X": {false, false}, "----0": {false, false}, "-----": {true, false}, "0XX-X": {true, true}, "--X--": {true, false},
	} {
		of := func(minute int) []float64 {
			if minute < 0 || points[minute] == '-' {
				return nil
			}
			return []float64{map[byte]float64{'0': 0, 'X': 1}[points[minute]]}
		}
		for i, breaching := range []bool{true, false} {
			w := watch{statistic: "Sum", period: 1, periods: 3, needed: 3, missingBreaching: breaching}
			if got := w.alarmed(of, 4, 2); got != want[i] {
				t.Errorf("%s, missing is breaching %v: %v, want %v", points, breaching, got, want[i])
			}
		}
	}
}
