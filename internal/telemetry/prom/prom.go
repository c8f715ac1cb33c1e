// Package prom counts in memory, and shows it as Prometheus reads it ("Exposition
// formats"). It is for dev and worker: no Lambda links it.
package prom

import (
	"net/http"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/efferent/efferent/internal/metric"
)

// Metrics are those of one process.
type Metrics struct {
	registry *prometheus.Registry
	metrics  map[string]*one
}

// one is one metric: by its unit one of the three.
type one struct {
	metric.Definition
	dimensions []string
	counter    *prometheus.CounterVec
	histogram  *prometheus.HistogramVec
	worst      *worst
}

// New returns Metrics in which nothing has happened yet.
func New(now func() time.Time) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), metrics: map[string]*one{}}
	for _, d := range metric.Definitions() {
		o := &one{Definition: d, dimensions: d.Dimensions()}
		labels := append([]string{metric.Function}, o.dimensions...)
		switch {
		case d.Unit == metric.Count:
			o.counter = prometheus.NewCounterVec(prometheus.CounterOpts{Name: Name(d), Help: d.Help}, labels)
			m.registry.MustRegister(o.counter)
		case d.Name == metric.OldestUndelivered || d.Name == metric.OldestOverdue:
			o.worst = newWorst(prometheus.NewDesc(Name(d), d.Help, labels, nil), now)
			m.registry.MustRegister(o.worst)
		default:
			o.histogram = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: Name(d), Help: d.Help, Buckets: buckets[d.Name]}, labels)
			m.registry.MustRegister(o.histogram)
		}
		m.metrics[d.Name] = o
	}
	return m
}

// buckets are in seconds: up to what an exchange may take, and up to a day.
var buckets = map[string][]float64{
	metric.ExchangeLatency: {.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 20},
	metric.TimeToDelivery:  {.025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 6 * 3600, 24 * 3600},
}

// Name is what Prometheus calls a metric ("Metric and label naming"): a count's ends in
// total, and what is measured is in seconds.
func Name(d metric.Definition) string {
	name := Prefix
	for n, r := range d.Name {
		if n > 0 && unicode.IsUpper(r) {
			name += "_"
		}
		name += strings.ToLower(string(r))
	}
	if d.Unit == metric.Count {
		return name + "_total"
	}
	return name + "_seconds"
}

// Prefix is what all names begin with.
const Prefix = "efferent_"

// Of is the Recorder of a function.
func (m *Metrics) Of(function string) metric.Recorder { return &recorder{m, function} }

type recorder struct {
	*Metrics
	function string
}

// Record is metric.Recorder's.
func (r *recorder) Record(events []metric.Event) {
	for _, e := range events {
		o := r.metrics[e.Name]
		if o == nil {
			continue
		}
		known, labels := o.Known(e.Labels), []string{r.function}
		for _, dimension := range o.dimensions {
			labels = append(labels, known.Of(dimension))
		}
		switch {
		case o.counter != nil:
			o.counter.WithLabelValues(labels...).Add(e.Value)
		case o.worst != nil:
			o.worst.put(r.function, e.Value)
		case o.Unit == metric.Milliseconds:
			o.histogram.WithLabelValues(labels...).Observe(e.Value / 1000)
		default:
			o.histogram.WithLabelValues(labels...).Observe(e.Value)
		}
	}
}

// Handler shows them.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// restTime is for how long a value is the worst of late: longer than one scrape is
// after the other.
const restTime = 2 * time.Minute

// worst shows the most that was measured of late by each function; 0 where that was
// nothing: what is delivered has no age.
type worst struct {
	desc *prometheus.Desc
	now  func() time.Time

	mu     sync.Mutex
	values map[string]value
}

type value struct {
	of float64
	at time.Time
}

func newWorst(desc *prometheus.Desc, now func() time.Time) *worst {
	return &worst{desc: desc, now: now, values: map[string]value{}}
}

func (w *worst) put(function string, of float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	if v := w.values[function]; of >= v.of || now.Sub(v.at) >= restTime {
		w.values[function] = value{of, now}
	}
}

// Describe is prometheus.Collector's.
func (w *worst) Describe(out chan<- *prometheus.Desc) { out <- w.desc }

// Collect is prometheus.Collector's.
func (w *worst) Collect(out chan<- prometheus.Metric) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for function, v := range w.values {
		if w.now().Sub(v.at) >= restTime {
			v.of = 0
		}
		out <- prometheus.MustNewConstMetric(w.desc, prometheus.GaugeValue, v.of, function)
	}
}
