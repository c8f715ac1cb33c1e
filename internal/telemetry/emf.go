// Package telemetry writes logs, and metrics as CloudWatch's embedded metric
// format: log lines that CloudWatch Logs makes metrics of.
package telemetry

import (
	"io"
	"log/slog"
	"math"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/metric"
)

// Namespace is that of every metric.
const Namespace = metric.Namespace

const (
	// mostValues is how many values a metric has in one line, at most ("Specification:
	// Embedded metric format").
	mostValues = 100
	// restTime is how long OldestUndelivered does not repeat itself where it is written
	// alone: a line is billed as a log's is, and the most of each minute is what is
	// looked at.
	restTime = 30 * time.Second
)

// EMF is the Recorder of a Lambda function: a line for each set of labels in what is
// recorded at once, which is most often one.
type EMF struct {
	// Function is its name.
	Function string
	// Few leaves out all metrics that no alarm is on.
	Few bool
	// Level is the level of the function's lines. Lambda takes a line that has none, or
	// no time, for INFO, and leaves out what is below the function's ("Log-level
	// filtering"): so where that is more, a line says that it is of the function's.
	Level string
	Now   func() time.Time
	Out   io.Writer

	mu     sync.Mutex
	oldest float64
	at     time.Time
}

// LambdaMetrics are those of the Lambda function that the process is, by its
// environment. They go where CloudWatch looks for them, to standard output.
func LambdaMetrics(getenv func(string) string, few bool) *EMF {
	return &EMF{Function: getenv("AWS_LAMBDA_FUNCTION_NAME"), Few: few, Level: getenv(LevelVariable), Now: time.Now, Out: os.Stdout}
}

// Record is metric.Recorder's.
func (e *EMF) Record(events []metric.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.Now()
	var lines []*line
	for _, event := range events {
		d := definition(event.Name)
		if d == nil || e.Few && !d.Always || e.said(event, len(events) == 1, now) {
			continue
		}
		event.Labels = d.Known(event.Labels)
		lines = add(lines, d, event)
	}
	for _, l := range lines {
		// A metric that can't be written is no reason to fail what it counts.
		_, _ = e.Out.Write(l.text(e.about(now), now))
	}
}

// about is what each line says beside its metrics.
func (e *EMF) about(now time.Time) map[string]any {
	about := map[string]any{metric.Function: e.Function}
	if e.Level != "" && !slices.Contains([]string{"TRACE", "DEBUG", "INFO"}, e.Level) {
		about[slog.LevelKey], about[slog.TimeKey] = e.Level, now.UTC().Format(time.RFC3339Nano)
	}
	return about
}

// said reports whether the oldest that is undelivered need not be written now: it is
// alone, no older than what was said, and that is not long ago.
func (e *EMF) said(event metric.Event, alone bool, now time.Time) bool {
	if event.Name != metric.OldestUndelivered {
		return false
	}
	if (alone || e.Few) && !e.at.IsZero() && event.Value <= e.oldest && now.Sub(e.at) < restTime {
		return true
	}
	e.oldest, e.at = event.Value, now
	return false
}

var definitions = metric.Definitions()

func definition(name string) *metric.Definition {
	for i := range definitions {
		if definitions[i].Name == name {
			return &definitions[i]
		}
	}
	return nil
}

// line is what has the same labels.
type line struct {
	metric.Labels
	values []values
}

// values are those of one metric.
type values struct {
	*metric.Definition
	all []float64
}

// add adds an event to the line of its labels. One that has none shares any.
func add(lines []*line, d *metric.Definition, event metric.Event) []*line {
	for _, l := range lines {
		if (l.Labels == event.Labels || event.Labels == metric.Labels{}) && l.takes(d, rounded(event.Value)) {
			return lines
		}
	}
	l := &line{Labels: event.Labels}
	l.takes(d, rounded(event.Value))
	return append(lines, l)
}

// rounded is to a thousandth, which is what is written of it.
func rounded(value float64) float64 { return math.Round(value*1000) / 1000 }

// takes reports whether the line had room for a value.
func (l *line) takes(d *metric.Definition, value float64) bool {
	i := slices.IndexFunc(l.values, func(v values) bool { return v.Definition == d })
	switch {
	case i < 0:
		l.values = append(l.values, values{d, []float64{value}})
	case d.Unit == metric.Count:
		l.values[i].all[0] += value
	case len(l.values[i].all) == mostValues:
		return false
	default:
		l.values[i].all = append(l.values[i].all, value)
	}
	return true
}

// text is the line as CloudWatch reads it ("Specification: Embedded metric format").
func (l *line) text(text map[string]any, now time.Time) []byte {
	var all []*directive
	for _, v := range l.values {
		if text[v.Name] = v.all; len(v.all) == 1 {
			text[v.Name] = v.all[0]
		}
		for _, dimension := range v.Dimensions() {
			if value := l.Of(dimension); value != "" {
				text[dimension] = value
			}
		}
		all = direct(all, v.Sets(l.Labels), metricUnit{v.Name, v.Unit})
	}
	text["_aws"] = map[string]any{"Timestamp": now.UnixMilli(), "CloudWatchMetrics": all}
	b, err := json.Marshal(text, json.Deterministic(true))
	if err != nil {
		return nil // it can't be: the values are plain texts and numbers
	}
	return append(b, '\n')
}

// directive says which metrics of a line have which dimensions.
type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metricUnit
}

type metricUnit struct {
	Name string
	Unit metric.Unit
}

// direct adds a metric to the directive of its dimensions.
func direct(all []*directive, sets [][]string, m metricUnit) []*directive {
	for _, d := range all {
		if slices.EqualFunc(d.Dimensions, sets, slices.Equal) {
			d.Metrics = append(d.Metrics, m)
			return all
		}
	}
	return append(all, &directive{Namespace, sets, []metricUnit{m}})
}
