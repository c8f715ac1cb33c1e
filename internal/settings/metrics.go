package settings

import (
	"fmt"
	"slices"
	"strings"

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

// The values of MetricTenants that are no list.
const (
	AllTenants = "*"
	NoTenants  = "none"
)

// parseTenants reads which tenants are told apart by their metrics; nil is none.
func parseTenants(text string) (*metric.Tenants, error) {
	switch text {
	case "", NoTenants:
		return nil, nil
	case AllTenants:
		return &metric.Tenants{}, nil
	}
	only := strings.Split(text, ",")
	for _, tenant := range only {
		if !metric.CanTell(tenant) || strings.TrimSpace(tenant) != tenant || tenant == AllTenants {
			return nil, fmt.Errorf("%q is no tenant of a list: they stand with a comma between them, in printable ASCII; or say %s, or %s",
				tenant, AllTenants, NoTenants)
		}
	}
	slices.Sort(only)
	if only = slices.Compact(only); len(only) > metric.MostTenants {
		return nil, fmt.Errorf("%d tenants are more than %d", len(only), metric.MostTenants)
	}
	return &metric.Tenants{Only: only}, nil
}
