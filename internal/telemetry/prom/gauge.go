package prom

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Gauge is what is asked for when it is shown.
type Gauge struct {
	// Name is without Prefix; Help is one line; Labels are what its values are told
	// apart by.
	Name, Help string
	Labels     []string
	// Ask gets the values. After an error, none are shown.
	Ask func(ctx context.Context) ([]Value, error)
}

// Value is one of a Gauge's.
type Value struct {
	Labels []string
	Of     float64
}

const (
	// askTime is how long asking may take, and keepTime for how long its answer is
	// shown again: a queue or a table is not asked more often, whoever looks.
	askTime  = 5 * time.Second
	keepTime = 10 * time.Second
)

// Ask adds gauges.
func (m *Metrics) Ask(now func() time.Time, gauges ...Gauge) {
	for _, g := range gauges {
		m.registry.MustRegister(&asked{Gauge: g, now: now, desc: prometheus.NewDesc(Prefix+g.Name, g.Help, g.Labels, nil)})
	}
}

type asked struct {
	Gauge
	now  func() time.Time
	desc *prometheus.Desc

	mu     sync.Mutex
	values []Value
	err    error
	at     time.Time
}

// Describe is prometheus.Collector's.
func (a *asked) Describe(out chan<- *prometheus.Desc) { out <- a.desc }

// Collect is prometheus.Collector's.
func (a *asked) Collect(out chan<- prometheus.Metric) {
	values, err := a.fresh()
	if err != nil {
		out <- prometheus.NewInvalidMetric(a.desc, err)
		return
	}
	for _, v := range values {
		out <- prometheus.MustNewConstMetric(a.desc, prometheus.GaugeValue, v.Of, v.Labels...)
	}
}

func (a *asked) fresh() ([]Value, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now := a.now(); a.at.IsZero() || now.Sub(a.at) >= keepTime {
		ctx, stop := context.WithTimeout(context.Background(), askTime)
		defer stop()
		a.values, a.err = a.Ask(ctx)
		a.at = now
	}
	return slices.Clone(a.values), a.err
}
