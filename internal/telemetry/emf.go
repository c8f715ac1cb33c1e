// Package telemetry writes logs, and metrics as CloudWatch's embedded metric
// format: log lines that CloudWatch Logs makes metrics of.
package telemetry

import (
	"io"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/metric"
)

// Namespace is that of every metric.
const Namespace = metric.Namespace

// Counter counts events of one kind, by the function that it happens in and one
// more dimension. It may be used by many goroutines at once.
type Counter struct {
	// Name is the metric's, Dimension what tells its events apart.
	Name, Dimension string
	// Function is the Lambda function's name.
	Function string
	Now      func() time.Time
	Out      io.Writer

	mu sync.Mutex
}

// Add counts one event. There is a metric for the function as a whole, and one
// for each value of the dimension ("Specification: Embedded metric format").
func (c *Counter) Add(value string) {
	line := map[string]any{
		"_aws": map[string]any{
			"Timestamp": c.Now().UnixMilli(),
			"CloudWatchMetrics": []any{map[string]any{
				"Namespace":  metric.Namespace,
				"Dimensions": [][]string{{"function"}, {"function", c.Dimension}},
				"Metrics":    []any{map[string]string{"Name": c.Name, "Unit": "Count"}},
			}},
		},
		"function": c.Function, c.Dimension: value, c.Name: 1,
	}
	b, err := json.Marshal(line, json.Deterministic(true))
	if err != nil {
		return // it can't be: the values are plain texts
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// A metric that can't be written is no reason to fail what it counts.
	_, _ = c.Out.Write(append(b, '\n'))
}
