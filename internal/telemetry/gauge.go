package telemetry

import (
	"io"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// Gauge writes a time that was measured, in seconds, by the function that it was
// measured in. It may be used by many goroutines at once.
type Gauge struct {
	// Name is the metric's.
	Name string
	// Function is the Lambda function's name.
	Function string
	Now      func() time.Time
	Out      io.Writer

	mu sync.Mutex
}

// Put writes one value ("Specification: Embedded metric format").
func (g *Gauge) Put(value time.Duration) {
	line := map[string]any{
		"_aws": map[string]any{
			"Timestamp": g.Now().UnixMilli(),
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
	g.mu.Lock()
	defer g.mu.Unlock()
	// A metric that can't be written is no reason to fail what it measures.
	_, _ = g.Out.Write(append(b, '\n'))
}
