package settings

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/circuit"
)

// What may be set of circuits. A longest time of over a day would outlast what
// an endpoint itself may ask for.
const (
	mostFailures  = 1000
	mostExchanges = 10_000
	leastOpen     = time.Second
	mostOpen      = 24 * time.Hour
	mostFailing   = 28 * 24 * time.Hour
)

// DefaultDisable is for how long a registered endpoint may fail until it is disabled,
// as "Standard Webhooks" suggests ("Disabling endpoints").
const DefaultDisable = 5 * 24 * time.Hour

// parseCircuits reads when circuits open, and for how long:
// "failures=5;exchanges=20;first=30s;longest=15m;disable=120h". What is left out is as
// circuit.Limits has it, but for disable, which is five days.
func parseCircuits(text string) (l circuit.Limits, err error) {
	l.Disable = DefaultDisable
	for part := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch name {
		case "":
			if value != "" {
				err = fmt.Errorf("%q has no name", part)
			}
		case "failures":
			l.Threshold, err = numberOf(name, value, 1, mostFailures)
		case "exchanges":
			l.Least, err = numberOf(name, value, 2, mostExchanges)
		case "first":
			l.First, err = durationOf(name, value, leastOpen, mostOpen)
		case "longest":
			l.Longest, err = durationOf(name, value, leastOpen, mostOpen)
		case "disable":
			l.Disable, err = durationOf(name, value, 0, mostFailing)
		default:
			err = fmt.Errorf("%q is none of failures, exchanges, first, longest and disable", name)
		}
		if err != nil {
			return l, err
		}
	}
	if d := l.Defaults(); d.Longest < d.First {
		return l, fmt.Errorf("longest (%s) is less than first (%s)", d.Longest, d.First)
	}
	return l, nil
}

func numberOf(name, text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		return 0, fmt.Errorf("%s: %q is not a number from %d to %d", name, text, least, most)
	}
	return n, nil
}

func durationOf(name, text string, least, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < least || d > most {
		return 0, fmt.Errorf("%s: %q is not a duration from %s to %s", name, text, least, most)
	}
	return d, nil
}
