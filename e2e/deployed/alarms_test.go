//go:build e2e

package deployed

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/metric"
)

// TestDeployedAlarms has every alarm go off and end, and sees its topic told of both:
// by real faults where MiniStack has the metric, by the metric itself where it is one
// of ours, and by SetAlarmState where it has none.
func TestDeployedAlarms(t *testing.T) {
	target := newTarget(t)
	config := target.start(t, false)
	pages, tickets := listen(t, config, "pages"), listen(t, config, "tickets")
	chosen := maps.Clone(choices)
	chosen["alarmTopic"], chosen["ticketTopic"] = pages.topic, tickets.topic
	chosen["outcomesTenant"] = "operator"
	s, _, b := deploy(t, target, config, chosen)
	w := cloudwatch.NewFromConfig(config)
	alarms := alarmsOf(t, w)
	told := map[string]*listener{"page": pages, "ticket": tickets}

	for _, name := range []string{"WebhookFailures", "NotificationFailures", "Misconfigured", "ReplayErrors", "WebhookUntold",
		"ReplayUntold"} {
		if alarms[name] == nil {
			t.Errorf("there is no alarm %s", name)
		}
	}
	caused := faults(t, s, b)
	for name, a := range alarms {
		if !caused[name] {
			goesOff(t, w, a)
		}
	}
	for _, state := range []types.StateValue{types.StateValueAlarm, types.StateValueOk} {
		for name, a := range alarms {
			told[a.severity].await(t, name, state)
			if state == types.StateValueAlarm && name == "WebhookFailures" {
				operatorReads(t, target, b.outputs, chosen["prefix"]+"Efferent")
			}
			setState(t, w, a, types.StateValueOk)
		}
	}
	t.Logf("%d alarms went off and ended, %v by real faults", len(alarms), slices.Sorted(maps.Keys(caused)))
}

// alarm is a deployed one; described is how its description says whom it is for, and
// where docs/operate.md tells of it.
type alarm struct {
	types.MetricAlarm
	severity string
}

var described = regexp.MustCompile(`^Efferent, (page|ticket): .* docs/operate.md, (\w+)\.$`)

func alarmsOf(t *testing.T, w *cloudwatch.Client) map[string]*alarm {
	t.Helper()
	all := map[string]*alarm{}
	for pages := cloudwatch.NewDescribeAlarmsPaginator(w, &cloudwatch.DescribeAlarmsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.MetricAlarms {
			of := described.FindStringSubmatch(aws.ToString(a.AlarmDescription))
			if of == nil {
				t.Fatalf("%s is described by %q", *a.AlarmName, aws.ToString(a.AlarmDescription))
			}
			all[of[2]] = &alarm{a, of[1]}
		}
	}
	return all
}

// faults makes real ones, and has their metrics read as CloudWatch reads them out of
// the functions' logs. It returns the alarms that go off by them.
func faults(t *testing.T, s *scenario.Stack, b *book) map[string]bool {
	t.Helper()
	s.Send(t, `{"id": "evt_bad"}`)
	s.SendTo(t, "notifications",
		`{"id": "n_bad", "channel": "email", "recipient": "ann@acme.test", "subject": "s", "body": "b", "fallback": []}`)
	s.Attempts(t, "evt_bad")
	s.Attempts(t, "n_bad")
	out, err := lambda.NewFromConfig(b.config).Invoke(t.Context(), &lambda.InvokeInput{
		FunctionName: aws.String(b.outputs["ReplayFunction"]), Payload: []byte(`"no request"`)})
	if err != nil || out.FunctionError == nil {
		t.Fatalf("the API's function takes what is no request: %v, %s", err, out.Payload)
	}
	written := &embedded{config: b.config, groups: []string{b.outputs["DeliverLogGroup"], b.outputs["NotifyLogGroup"]}}
	written.await(t, metric.DeadLetters, metric.Misconfigured)
	return map[string]bool{"WebhookFailures": true, "NotificationFailures": true, "Misconfigured": true, "ReplayErrors": true}
}

// goesOff has an alarm go off.
func goesOff(t *testing.T, w *cloudwatch.Client, a *alarm) {
	t.Helper()
	if *a.Namespace != metric.Namespace {
		setState(t, w, a, types.StateValueAlarm)
		return
	}
	datum := types.MetricDatum{MetricName: a.MetricName, Dimensions: a.Dimensions, Value: aws.Float64(*a.Threshold + 1)}
	if _, err := w.PutMetricData(t.Context(),
		&cloudwatch.PutMetricDataInput{Namespace: a.Namespace, MetricData: []types.MetricDatum{datum}}); err != nil {
		t.Fatal(err)
	}
}

func setState(t *testing.T, w *cloudwatch.Client, a *alarm, state types.StateValue) {
	t.Helper()
	if _, err := w.SetAlarmState(t.Context(), &cloudwatch.SetAlarmStateInput{
		AlarmName: a.AlarmName, StateValue: state, StateReason: aws.String("a test")}); err != nil {
		t.Fatal(err)
	}
}

// listener is a topic, and a queue that hears of it.
type listener struct {
	topic, url string
	sqs        *sqs.Client
	heard      map[string]bool // "<alarm> <state>"
}

func listen(t *testing.T, config aws.Config, name string) *listener {
	t.Helper()
	topics, l := sns.NewFromConfig(config), &listener{sqs: sqs.NewFromConfig(config), heard: map[string]bool{}}
	topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	queue, err := l.sqs.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	l.topic, l.url = *topic.TopicArn, *queue.QueueUrl
	of, err := l.sqs.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &l.url,
		AttributeNames: []sqstypes.QueueAttributeName{"QueueArn"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &l.topic, Protocol: aws.String("sqs"),
		Endpoint: aws.String(of.Attributes["QueueArn"]), Attributes: map[string]string{"RawMessageDelivery": "true"}}); err != nil {
		t.Fatal(err)
	}
	return l
}

// await waits until the topic was told of an alarm's state.
func (l *listener) await(t *testing.T, name string, state types.StateValue) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !l.heard[name+" "+string(state)]; {
		out, err := l.sqs.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &l.url, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range out.Messages {
			var told struct{ AlarmDescription, NewStateValue string }
			if err := json.Unmarshal([]byte(*m.Body), &told); err != nil {
				t.Fatalf("%v: %s", err, *m.Body)
			}
			if of := described.FindStringSubmatch(told.AlarmDescription); of != nil {
				l.heard[of[2]+" "+told.NewStateValue] = true
			}
			if _, err := l.sqs.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &l.url, ReceiptHandle: m.ReceiptHandle}); err != nil {
				t.Fatal(err)
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s was not told that %s is %s, but %v", l.topic, name, state, slices.Sorted(maps.Keys(l.heard)))
		}
	}
}

// operatorReads runs what docs/operate.md has an operator look with, as one script.
func operatorReads(t *testing.T, target *Target, outputs map[string]string, stack string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	looks := regexp.MustCompile("(?ms)^<!-- not run: needs an AWS account -->\n```sh\n(.*?)^```").FindAllSubmatch(page, -1)
	if len(looks) < 8 {
		t.Fatalf("docs/operate.md has %d blocks", len(looks))
	}
	// Not every version of the AWS CLI heeds AWS_ENDPOINT_URL, and not for SQS.
	script := "set -e -o pipefail\naws() { command aws --endpoint-url \"$AWS_ENDPOINT_URL\" \"$@\"; }\n"
	for _, look := range looks {
		script += string(look[1])
	}
	c := exec.CommandContext(t.Context(), "bash", "-c", script+"\n[ \"$EFFERENT_API_URL\" = '"+outputs["ApiUrl"]+"' ]")
	c.Env = append(target.environment(), "STACK="+stack, "AWS_PAGER=")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Errorf("the commands of docs/operate.md: %v\n%s", err, out)
	}
	// Those that show what the faults left.
	for _, want := range []string{"WebhookFailuresAlarm", "Enabled", "ENABLED", "a channel is not configured as it should be"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the commands of docs/operate.md show nothing of %s:\n%s", want, out)
		}
	}
}
