package efferent_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/settings"
)

// rotated are props of a stack that has every part.
var rotated = efferent.Props{Rotate: efferent.RotateProps{Secrets: []string{"efferent/webhooks/acme"}},
	Reports:  efferent.ReportProps{Twilio: true, ConfigurationSet: "efferent"},
	Outcomes: efferent.OutcomeProps{Tenant: "operator"}}

// alarmsOf are a template's alarms by their names.
func alarmsOf(t *testing.T, props efferent.Props) map[string]object {
	t.Helper()
	all := map[string]object{}
	for id, a := range synth(t, props).of("AWS::CloudWatch::Alarm") {
		all[strings.TrimSuffix(id, "Alarm")] = a
	}
	return all
}

// watched says in a line what an alarm is on.
func watched(a object) string {
	var dimensions []string
	for _, d := range a["Dimensions"].([]any) {
		dimensions = append(dimensions, text(d.(object)["Value"]))
	}
	slices.Sort(dimensions)
	times := text(a["EvaluationPeriods"])
	if m := a["DatapointsToAlarm"]; m != nil {
		times = text(m) + "/" + times
	}
	is := map[string]string{"GreaterThanThreshold": ">", "LessThanThreshold": "<"}[text(a["ComparisonOperator"])]
	missing := map[string]string{"notBreaching": "", "breaching": ", or missing"}[text(a["TreatMissingData"])]
	return fmt.Sprintf("%s %s of %s %s %s, %s of %v s%s", severity.FindStringSubmatch(text(a["AlarmDescription"]))[1], text(a["MetricName"]),
		strings.Join(dimensions, ","), is, text(a["Threshold"]), times, a["Period"], missing)
}

var severity = regexp.MustCompile(`^Efferent, (page|ticket): .* What to do: docs/operate.md, (\w+)\.$`)

func TestWhatIsWatched(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for name, a := range alarmsOf(t, rotated) {
		if found := severity.FindStringSubmatch(text(a["AlarmDescription"])); found == nil || found[2] != name || a["Metrics"] != nil {
			t.Errorf("%s: %v", name, a)
			continue
		}
		got[name] = watched(a)
	}
	want := map[string]string{
		"AuditAge":       "page ApproximateAgeOfOldestMessage of AuditQueue.QueueName > 600, 1 of 60 s",
		"AuditFailures":  "page ApproximateNumberOfMessagesVisible of AuditFailures.QueueName > 0, 1 of 60 s",
		"ReportAge":      "ticket ApproximateAgeOfOldestMessage of ReportQueue.QueueName > 900, 1 of 60 s",
		"ReportFailures": "ticket ApproximateNumberOfMessagesVisible of ReportFailures.QueueName > 0, 1 of 60 s",
		"Misconfigured":  "page Misconfigured of NotifyFunction > 0, 1 of 300 s",
		"RoomAge":        "page OldestOverdue of ReleaseFunction > 900, 1 of 60 s",
		"NotReleased":    "page Invocations of ReleaseFunction < 1, 3 of 60 s, or missing",
		"LedgerUnsigned": "ticket Invocations of CheckpointFunction < 1, 3 of 300 s, or missing",
		"Api5xx":         "ticket 5xx of Api > 0, 1 of 300 s",
	}
	for title, function := range map[string]string{"Webhook": "Deliver", "Notification": "Notify", "Event": "Fanout"} {
		f := function + "Function"
		maps.Copy(want, map[string]string{
			title + "Age":         "page ApproximateAgeOfOldestMessage of " + title + "Queue.QueueName > 900, 1 of 60 s",
			title + "InFlight":    "page ApproximateNumberOfMessagesNotVisible of " + title + "Queue.QueueName > 80000, 1 of 60 s",
			title + "Trouble":     "page Held of " + f + ",trouble > 0, 2/3 of 300 s",
			title + "Undelivered": "ticket OldestUndelivered of " + f + " > 43200, 1 of 900 s",
			title + "Failures":    "ticket DeadLetters of " + f + " > 0, 1 of 300 s",
			title + "Expiring":    "ticket ApproximateAgeOfOldestMessage of " + title + "Failures.QueueName > 864000, 1 of 60 s",
			title + "Outcomes":    "ticket OutcomesMissing of " + f + " > 0, 1 of 300 s",
		})
	}
	for function, how := range map[string]string{"Deliver": "page", "Notify": "page", "Release": "page", "Audit": "page",
		"Checkpoint": "ticket", "Replay": "ticket", "Rotate": "ticket", "Fanout": "page", "Endpoints": "ticket", "Directory": "ticket",
		"Report": "ticket", "Callback": "ticket"} {
		times := map[string]string{"page": "2/3", "ticket": "1"}[how]
		for _, of := range []string{"Errors", "Throttles"} {
			want[function+of] = how + " " + of + " of " + function + "Function > 0, " + times + " of 300 s"
		}
	}
	for title, function := range telling {
		want[title+"Untold"] = "ticket OutcomesUntold of " + function + "Function > 0, 1 of 300 s"
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// telling are the functions that tell outcomes, by what their alarms are called after.
var telling = map[string]string{"Webhook": "Deliver", "Notification": "Notify", "Event": "Fanout", "Replay": "Replay",
	"Endpoints": "Endpoints"}

// TestWhoTellsIsWatched: whatever function has a place to tell outcomes to, and only
// where there is one.
func TestWhoTellsIsWatched(t *testing.T) {
	t.Parallel()
	for id, f := range synth(t, rotated).of("AWS::Lambda::Function") {
		environment, _ := f["Environment"].(object)
		variables, _ := environment["Variables"].(object)
		if id == "ReportFunction" { // it lets no outcome go: what it can't tell of ends in report-failures
			continue
		}
		watched := slices.Contains(slices.Collect(maps.Values(telling)), strings.TrimSuffix(id, "Function"))
		if variables[settings.Outcomes] != nil && !watched {
			t.Errorf("nobody hears of what %s could not tell", id)
		}
	}
	for name := range alarmsOf(t, efferent.Props{}) {
		if strings.HasSuffix(name, "Untold") {
			t.Errorf("%s, where nothing is told", name)
		}
	}
}

// TestEveryFunctionIsWatched: a new one too.
func TestEveryFunctionIsWatched(t *testing.T) {
	t.Parallel()
	alarms := alarmsOf(t, rotated)
	for id := range synth(t, rotated).of("AWS::Lambda::Function") {
		name := strings.TrimSuffix(id, "Function")
		if strings.HasPrefix(name, "Custom") || alarms[name+"Errors"] != nil && alarms[name+"Throttles"] != nil {
			continue
		}
		t.Errorf("nobody hears of errors and throttles of %s", id)
	}
}

// TestOurMetricsAreWritten: those that alarms are on are, whatever else is switched off.
func TestOurMetricsAreWritten(t *testing.T) {
	t.Parallel()
	defined := map[string]metric.Definition{}
	for _, d := range metric.Definitions() {
		defined[d.Name] = d
	}
	found := 0
	for name, a := range alarmsOf(t, rotated) {
		if a["Namespace"] != metric.Namespace {
			continue
		}
		found++
		d := defined[text(a["MetricName"])]
		if !d.Always {
			t.Errorf("%s: %s is not always written", name, text(a["MetricName"]))
		}
		var by []string
		for _, dimension := range a["Dimensions"].([]any) {
			dimension := dimension.(object)
			switch key := text(dimension["Name"]); {
			case key == metric.Function:
			case !slices.Contains(metric.Values(d.Name, key), text(dimension["Value"])):
				t.Errorf("%s: %s has no %s %s", name, d.Name, key, text(dimension["Value"]))
			default:
				by = append(by, key)
			}
		}
		if len(by) > 0 && !slices.ContainsFunc(d.By, func(set []string) bool { return slices.Equal(set, by) }) {
			t.Errorf("%s: %s is not told apart by %v", name, d.Name, by)
		}
	}
	if found < 10 {
		t.Errorf("only %d alarms are on metrics of ours", found)
	}
}

// TestWhoIsTold: tickets go to their topic, where there is one.
func TestWhoIsTold(t *testing.T) {
	t.Parallel()
	pages, tickets := "arn:aws:sns:eu-north-1:000000000000:pages", "arn:aws:sns:eu-north-1:000000000000:tickets"
	for _, c := range []struct{ topic, ticketTopic, page, ticket string }{
		{"", "", "", ""}, {pages, "", pages, pages}, {pages, tickets, pages, tickets}, {"", tickets, "", tickets},
	} {
		props := efferent.Props{Alarms: efferent.AlarmProps{Topic: c.topic, TicketTopic: c.ticketTopic}}
		for name, a := range alarmsOf(t, props) {
			want := map[string]string{"page": c.page, "ticket": c.ticket}[severity.FindStringSubmatch(text(a["AlarmDescription"]))[1]]
			for _, actions := range []string{"AlarmActions", "OKActions"} {
				if got := strings.Trim(strings.Join(texts(a[actions]), " "), "<nil>"); got != want {
					t.Errorf("%+v: %s of %s are %q, want %q", c, actions, name, got, want)
				}
			}
		}
	}
}

// TestLimits: what may be chosen reaches the alarms.
func TestLimits(t *testing.T) {
	t.Parallel()
	alarms := alarmsOf(t, efferent.Props{
		Queues:  efferent.QueueProps{Retention: 24 * time.Hour, FailuresRetention: 7 * 24 * time.Hour},
		Deliver: efferent.DeliverProps{MaxHeld: 24 * time.Hour},
		Alarms:  efferent.AlarmProps{MaxFailures: 9, MaxAge: time.Hour, MaxInFlight: 1000, MaxAuditAge: time.Minute},
	})
	for name, want := range map[string]string{"WebhookFailures": "9", "NotificationFailures": "9", "AuditFailures": "0", "WebhookAge": "3600",
		"RoomAge": "3600", "AuditAge": "60", "WebhookInFlight": "1000", "WebhookExpiring": "432000", "WebhookUndelivered": "172800"} {
		if got := text(alarms[name]["Threshold"]); got != want {
			t.Errorf("%s has the threshold %s, want %s", name, got, want)
		}
	}
	chosen := efferent.Props{Alarms: efferent.AlarmProps{MaxUndelivered: 80 * time.Hour}}
	if got := text(alarmsOf(t, chosen)["WebhookUndelivered"]["Threshold"]); got != "288000" {
		t.Errorf("WebhookUndelivered has the threshold %s", got)
	}
}
