package telemetry

import (
	"io"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// gaugeTime is how long a gauge does not repeat itself: a line is billed as a log's
// is, and the most of each minute is what is looked at.
const gaugeTime = 30 * time.Second

// Gauge writes a time that was measured, in seconds, by the function that it was
// measured in: each that is more than the last one, and another one after half a
// minute. It may be used by many goroutines at once.
type Gauge struct {
	// Name is the metric's.
	Name string
	// Function is the Lambda function's name.
	Function string
	Now      func() time.Time
	Out      io.Writer

	mu   sync.Mutex
	last time.Duration
	at   time.Time
}

// said reports whether a value need not be written now.
func (g *Gauge) said(value time.Duration, now time.Time) bool {
	if !g.at.IsZero() && value <= g.last && now.Sub(g.at) < gaugeTime {
		return true
	}
	g.last, g.at = value, now
	return false
}

// Put writes one value ("Specification: Embedded metric format").
func (g *Gauge) Put(value time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.Now()
	if g.said(value, now) {
		return
	}
	line := map[string]any{
		"_aws": map[string]any{
			"Timestamp": now.UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace":  Namespace,
				"Dimensions": [][]string{{"function"}},
				"Metrics":    []any{map[string]string{"Name": g.Name, "Unit": "Seconds"}},
			}},
		},
		"function": g.Function, g.Name: value.Seconds(),
	}
	b, err := json.Marshal(line, json.Deterministic(true))
	if err != nil {
		return // it can't be: the values are plain texts and numbers
	}
	// A metric that can't be written is no reason to fail what it measures.
	_, _ = g.Out.Write(append(b, '\n'))
}
