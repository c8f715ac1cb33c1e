//go:build e2e

package deployed

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
)

// embedded makes metrics of log lines, as CloudWatch Logs does ("Specification:
// Embedded metric format") and MiniStack does not.
type embedded struct {
	config aws.Config
	groups []string
}

// emf is such a line; its other members are values of dimensions and metrics.
type emf struct {
	Aws struct {
		CloudWatchMetrics []struct {
			Namespace  string
			Dimensions [][]string
			Metrics    []struct{ Name string }
		}
	} `json:"_aws"`
}

// await waits until each of the groups has had lines of one of these metrics, and puts
// all that there are.
func (e *embedded) await(t *testing.T, names ...string) {
	t.Helper()
	for _, group := range e.groups {
		for deadline := time.Now().Add(2 * time.Minute); ; {
			data := e.data(t, group)
			if all := seen(data); !slices.ContainsFunc(names, func(name string) bool { return all[name] }) {
				if time.Now().After(deadline) {
					t.Fatalf("%s has no lines of %v", group, names)
				}
				continue
			}
			if _, err := cloudwatch.NewFromConfig(e.config).PutMetricData(t.Context(),
				&cloudwatch.PutMetricDataInput{Namespace: aws.String("Efferent"), MetricData: data}); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
}

func seen(data []types.MetricDatum) map[string]bool {
	all := map[string]bool{}
	for _, d := range data {
		all[*d.MetricName] = true
	}
	return all
}

// data are the metrics of a log group.
func (e *embedded) data(t *testing.T, group string) (all []types.MetricDatum) {
	t.Helper()
	for pages := cloudwatchlogs.NewFilterLogEventsPaginator(cloudwatchlogs.NewFromConfig(e.config),
		&cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, event := range page.Events {
			all = append(all, metrics(*event.Message)...)
		}
	}
	return all
}

// metrics are those of one line, if it is of metrics.
func metrics(line string) (all []types.MetricDatum) {
	var of emf
	var members map[string]any
	if json.Unmarshal([]byte(line), &of) != nil || json.Unmarshal([]byte(line), &members) != nil {
		return nil
	}
	for _, directive := range of.Aws.CloudWatchMetrics {
		for _, set := range directive.Dimensions {
			var dimensions []types.Dimension
			for _, name := range set {
				value, _ := members[name].(string)
				dimensions = append(dimensions, types.Dimension{Name: aws.String(name), Value: aws.String(value)})
			}
			for _, m := range directive.Metrics {
				values, _ := members[m.Name].([]any)
				if values == nil {
					values = []any{members[m.Name]}
				}
				for _, v := range values {
					if v, ok := v.(float64); ok {
						all = append(all, types.MetricDatum{MetricName: aws.String(m.Name), Dimensions: dimensions, Value: &v})
					}
				}
			}
		}
	}
	return all
}
