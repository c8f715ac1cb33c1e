package settings

import "github.com/efferent/efferent/internal/metric"

// The metrics that alarms were on before there were others; all of them are in
// package metric.
const (
	Misconfigured     = metric.Misconfigured
	OutcomesMissing   = metric.OutcomesMissing
	OldestUndelivered = metric.OldestUndelivered
	CircuitChanges    = metric.CircuitChanges
)
