package efferent_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/metric"
)

// widget is one of the dashboard's.
type widget struct {
	Type       string
	X, Y       int
	Properties struct {
		Title   string
		Alarms  []string
		Metrics [][]any
	}
}

func widgetsOf(t *testing.T, props efferent.Props) (all []widget) {
	t.Helper()
	for _, d := range synth(t, props).of("AWS::CloudWatch::Dashboard") {
		var body struct{ Widgets []widget }
		if err := json.Unmarshal([]byte(text(d["DashboardBody"])), &body); err != nil {
			t.Fatal(err)
		}
		all = append(all, body.Widgets...)
	}
	return all
}

// searched finds a function's metrics by one dimension.
var searched = regexp.MustCompile(`^SEARCH\('\{Efferent,function,([\w,]+)\} MetricName="(\w+)" function="(\w+)Function"', 'Sum', 60\)$`)

// TestDashboardShowsWhatIsWritten: its graphs of our own metrics are of metrics that
// there are, told apart as they are; each has a title of its own that says in what it
// counts.
func TestDashboardShowsWhatIsWritten(t *testing.T) {
	t.Parallel()
	counts := regexp.MustCompile(`in (s|ms|days)$|(messages|at a time|parked)$|a minute, by|in 5 minutes|what is not in it$`)
	titles, shown := map[string]bool{}, map[string]bool{}
	props := rotated
	props.Notify.MetricTenants = []string{"acme"}
	for _, w := range widgetsOf(t, props)[1:] {
		title := w.Properties.Title
		if titles[title] || !counts.MatchString(title) {
			t.Errorf("the title %q is there twice, or does not say in what it counts", title)
		}
		titles[title] = true
		for _, m := range w.Properties.Metrics {
			if name, by, ours := oursIn(t, title, m); ours {
				shown[name] = true
				isWritten(t, title, name, by)
			}
		}
	}
	for _, d := range metric.Definitions() {
		// The one has an alarm, and is a failure's kind; the other no stack writes yet.
		if !shown[d.Name] && d.Name != metric.Misconfigured && d.Name != metric.Reports {
			t.Errorf("the dashboard does not show %s", d.Name)
		}
	}
}

// oursIn reads a line of a graph: the name of our metric that it shows, and by which
// dimensions beside the function.
func oursIn(t *testing.T, title string, m []any) (name string, by []string, ours bool) {
	t.Helper()
	if first, ok := m[0].(object); ok {
		expression := text(first["expression"])
		if found := searched.FindStringSubmatch(expression); found != nil {
			return found[2], strings.Split(found[1], ","), true
		}
		if strings.Contains(expression, "SEARCH") {
			t.Errorf("%q searches %s", title, expression)
		}
		return "", nil, false
	}
	for i := 2; i+1 < len(m); i += 2 {
		if dimension := text(m[i]); dimension != metric.Function {
			by = append(by, dimension)
		}
	}
	return text(m[1]), by, m[0] == metric.Namespace
}

func isWritten(t *testing.T, title, name string, by []string) {
	t.Helper()
	for _, d := range metric.Definitions() {
		if d.Name == name {
			if len(by) > 0 && !slices.ContainsFunc(d.By, func(set []string) bool { return slices.Equal(set, by) }) {
				t.Errorf("%q shows %s by %v, and it is written by %v", title, name, by, d.By)
			}
			return
		}
	}
	t.Errorf("%q shows %s, which nobody writes", title, name)
}

// TestDashboardBeginsWithWhatMatters: the alarms, all of them, then what leaves, fails
// and waits.
func TestDashboardBeginsWithWhatMatters(t *testing.T) {
	t.Parallel()
	all := widgetsOf(t, rotated)
	if all[0].Type != "alarm" || len(all[0].Properties.Alarms) != len(lives) {
		t.Errorf("it begins with %+v, and there are %d alarms", all[0], len(lives))
	}
	var first []string
	for _, w := range all[1:7] {
		first = append(first, w.Properties.Title)
	}
	for i, want := range []string{"by verdict", "by kind", "exchange takes", "oldest", "held", "dead letters"} {
		if !strings.HasPrefix(first[i], "Webhooks: ") || !strings.Contains(first[i], want) {
			t.Errorf("graph %d is %q, want one of webhooks, %s", i+1, first[i], want)
		}
	}
}
