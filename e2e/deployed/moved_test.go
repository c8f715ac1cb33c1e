//go:build e2e

package deployed

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
)

var allQueues = []string{"webhooks", "webhook-failures", "notifications", "notification-failures", "events", "event-failures",
	"reports", "report-failures", "audit.fifo", "audit-failures.fifo"}

// TestPrefixChanges changes the prefix of a stack with a message in every queue, and
// changes it back: each time nothing that is in a queue is lost, and the stack works.
// Even where all is to be destroyed with the stack, and with much else chosen that an
// account may ask for.
func TestPrefixChanges(t *testing.T) {
	target := newTarget(t)
	config := target.start(t, false)
	first := with(with(with(with(with(with(choices, "stack", "Moved"), "key", newKey(t, config)),
		"tags", "team=shop,cost=42"), "xray", "true"),
		"channelSecrets", "efferent/moved/"), "allowPorts", "1024-65535")
	first = with(with(first, "twilioReports", "false"), "sesReports", "moved") // Twilio's need the API, which leaves it and returns
	s, _, _ := deploy(t, target, config, first)
	delivers(t, s, "before")
	if by := s.Attributes(t, "webhooks")["KmsMasterKeyId"]; by != first["key"] {
		t.Errorf("webhooks is under the key %q", by)
	}
	for _, name := range allQueues {
		leave(t, s, name)
	}

	second := with(with(first, "prefix", "moved-"), "api", "false")
	moved := redeploy(t, target, config, second)
	holdsAll(t, s, "after the change")
	delivers(t, moved, "after")

	back := with(first, "ownQueues", "all")
	again := redeploy(t, target, config, back)
	holdsAll(t, again, "after the change back")
	delivers(t, again, "back")
}

// redeploy deploys other choices over the stack that is there.
func redeploy(t *testing.T, target *Target, config aws.Config, choices map[string]string) *scenario.Stack {
	t.Helper()
	outputs, err := target.Deploy(t.Context(), choices)
	if err != nil {
		t.Fatal(err)
	}
	s, _, _ := target.use(t, config, outputs, choices["prefix"])
	return s
}

func newKey(t *testing.T, config aws.Config) (arn string) {
	t.Helper()
	key, err := kms.NewFromConfig(config).CreateKey(t.Context(), &kms.CreateKeyInput{})
	if err != nil {
		t.Fatal(err)
	}
	return *key.KeyMetadata.Arn
}

// leave puts into a queue what stays there: messages that nobody is handed for a
// while, and, since FIFO queues have no such thing, one that is no entry.
func leave(t *testing.T, s *scenario.Stack, name string) {
	t.Helper()
	in := &sqs.SendMessageInput{QueueUrl: s.QueueURL(t, name), MessageBody: aws.String("left " + name)}
	switch name {
	case "audit.fifo", "audit-failures.fifo":
		in.MessageGroupId, in.MessageDeduplicationId = aws.String("left"), aws.String("left")
	default:
		in.DelaySeconds = 900
	}
	if _, err := s.SQS.SendMessage(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// holdsAll wants each queue, and the message that was left in it.
func holdsAll(t *testing.T, s *scenario.Stack, when string) {
	t.Helper()
	for _, name := range allQueues {
		holds := 0
		for _, where := range []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages,
			types.QueueAttributeNameApproximateNumberOfMessagesDelayed, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible} {
			n, err := strconv.Atoi(s.Attributes(t, name)[string(where)])
			if err != nil {
				t.Fatalf("%s: %s: %v", name, where, err)
			}
			holds += n
		}
		if holds == 0 && name != "audit.fifo" { // whose function works on what was left there: it must be there itself
			t.Errorf("%s: nothing is in %s%s any more", when, s.Prefix, name)
		}
	}
}

// delivers shows that the stack sends webhooks.
func delivers(t *testing.T, s *scenario.Stack, id string) {
	t.Helper()
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusNoContent) })
	s.Send(t, scenario.Text(id, e.URL))
	s.AttemptsUntil(t, id, func(v attempt.Verdict) bool { return v == attempt.Delivered })
}
