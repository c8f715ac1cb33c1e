package efferent_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

func TestWhatIsWatched(t *testing.T) {
	t.Parallel()
	var got []string
	missing := map[string]string{"LedgerUnsignedAlarm": "breaching", "NotReleasedAlarm": "breaching"}
	for name, a := range synth(t, efferent.Props{}).of("AWS::CloudWatch::Alarm") {
		of := text(a["Dimensions"].([]any)[0].(object)["Value"])
		got = append(got, strings.Join([]string{of, text(a["MetricName"]), text(a["ComparisonOperator"]), text(a["Threshold"])}, " "))
		if a["Metrics"] != nil || a["TreatMissingData"] != either(missing[name], "notBreaching") {
			t.Errorf("alarm %s: %v", name, a)
		}
	}
	want := []string{"NotifyFunction Misconfigured GreaterThanThreshold 0", "DeliverFunction OutcomesMissing GreaterThanThreshold 0",
		"NotifyFunction OutcomesMissing GreaterThanThreshold 0", "ReplayFunction Errors GreaterThanThreshold 0",
		"ReleaseFunction Errors GreaterThanThreshold 0", "ReleaseFunction Invocations LessThanThreshold 1",
		"CheckpointFunction Errors GreaterThanThreshold 0", "CheckpointFunction Invocations LessThanThreshold 1"}
	for source, dead := range sources {
		oldest := "900"
		if source == "AuditQueue" {
			oldest = "600"
		}
		want = append(want, dead+".QueueName ApproximateNumberOfMessagesVisible GreaterThanThreshold 0",
			source+".QueueName ApproximateAgeOfOldestMessage GreaterThanThreshold "+oldest,
			source+".QueueName ApproximateNumberOfMessagesNotVisible GreaterThanThreshold 80000")
	}
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func either(given, otherwise string) string {
	if given == "" {
		return otherwise
	}
	return given
}
