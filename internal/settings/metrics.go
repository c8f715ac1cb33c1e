package settings

import (
	"fmt"

	"github.com/efferent/efferent/internal/metric"
)

// The metrics that alarms were on before there were others; all of them are in
// package metric.
const (
	Misconfigured     = metric.Misconfigured
	OutcomesMissing   = metric.OutcomesMissing
	OldestUndelivered = metric.OldestUndelivered
	CircuitChanges    = metric.CircuitChanges
)

// The values of Metrics.
const (
	AllMetrics   = "all"
	AlarmMetrics = "alarms"
)

// parseMetrics reports whether no more metrics are written than alarms are on.
func parseMetrics(text string) (few bool, err error) {
	switch text {
	case "", AllMetrics:
		return false, nil
	case AlarmMetrics:
		return true, nil
	}
	return false, fmt.Errorf("%q is neither %s nor %s", text, AllMetrics, AlarmMetrics)
}
