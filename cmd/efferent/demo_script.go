package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/replay"
	"github.com/efferent/efferent/internal/settings"
)

// demoSecret is the name of the secret that the demo signs with.
const demoSecret = "efferent/webhooks/demo"

// promise is one delivery of the demo: what is sent, and what must become of
// it.
type promise struct {
	id, url, story, body string
	// statuses are what its attempts end with, 0 for no answer; the last one
	// has the verdict.
	statuses []int
	verdict  attempt.Verdict
	// delays are the least between its attempts.
	delays []time.Duration

	attempts []attempt.Record // as they were seen
}

// script is what the demo plays. The receiver answers by the same statuses.
func (r *receiver) script() []*promise {
	seed := []time.Duration{time.Second, 2 * time.Second, 4 * time.Second}
	all := []*promise{
		{id: "works", story: "its endpoint works", statuses: []int{200}, verdict: attempt.Delivered},
		{id: "flaky", story: "its endpoint fails twice", statuses: []int{503, 503, 200}, verdict: attempt.Delivered, delays: seed[:2]},
		{id: "missing", story: "its endpoint is not there: 404", statuses: []int{404}, verdict: attempt.Permanent},
		{id: "down", story: "nobody listens at its endpoint", statuses: []int{0, 0, 0, 0}, verdict: attempt.Exhausted, delays: seed},
	}
	for i, p := range all {
		p.url = r.url + "/" + p.id
		// Spaces and escapes show that the body arrives byte for byte.
		p.body = fmt.Sprintf(`{ "number": %d.00, "name": "\u00e9t\u00e9" }`, i+1)
		r.statuses[p.id] = p.statuses
	}
	all[3].url = r.closedURL
	return all
}

func (p *promise) ended() bool {
	return len(p.attempts) > 0 && p.attempts[len(p.attempts)-1].Verdict.Final()
}

// check says what differs in the attempts.
func (p *promise) check() (wrong []string) {
	if len(p.attempts) != len(p.statuses) {
		return []string{fmt.Sprintf("%s: %d attempts, %d are promised", p.id, len(p.attempts), len(p.statuses))}
	}
	for i, r := range p.attempts {
		verdict := attempt.Retryable
		if i == len(p.attempts)-1 {
			verdict = p.verdict
		}
		if r.Status != p.statuses[i] || r.Verdict != verdict {
			wrong = append(wrong, fmt.Sprintf("%s: attempt %d ended with %d, %s; promised is %d, %s", p.id, i+1, r.Status, r.Verdict, p.statuses[i], verdict))
		}
		if i == 0 {
			continue
		}
		if waited := r.At.Sub(p.attempts[i-1].At); waited < p.delays[i-1] {
			wrong = append(wrong, fmt.Sprintf("%s: attempt %d came after %s, promised are %s at least", p.id, i+1, waited, p.delays[i-1]))
		}
	}
	return wrong
}

// attemptsOf asks the API; a delivery it does not know yet has no attempts.
func attemptsOf(ctx context.Context, api *apiFlags, id string) ([]attempt.Record, error) {
	var d replay.Delivery
	err := api.get(ctx, "/api/v1/deliveries/"+id, &d)
	var answered *apiError
	if errors.As(err, &answered) && answered.status == http.StatusNotFound {
		return nil, nil
	}
	return d.Attempts, err
}

// checkFailures reads the dead-letter queue: what could not be delivered is
// there, moved by SQS itself.
func (d *demo) checkFailures(ctx context.Context, deliveries []*promise) error {
	var want []string
	for _, p := range deliveries {
		if p.verdict != attempt.Delivered {
			want = append(want, p.id)
		}
	}
	fmt.Fprintln(d.out, "\nWhat could not be delivered is in the queue \"webhook-failures\", moved there by SQS:")
	url, found := queueURL(d.local.awsURL, "webhook-failures"), map[string]bool{}
	for len(found) < len(want) {
		out, err := d.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: 5,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return fmt.Errorf("receive from webhook-failures: %w", err)
		}
		if len(out.Messages) == 0 {
			d.wrong = append(d.wrong, fmt.Sprintf("webhook-failures holds %d messages, promised are %d", len(found), len(want)))
			break
		}
		for _, m := range out.Messages {
			d.checkFailure(m, found)
		}
	}
	for _, id := range want {
		if !found[id] {
			d.wrong = append(d.wrong, id+": it is not in webhook-failures")
		}
	}
	return nil
}

func (d *demo) checkFailure(m types.Message, found map[string]bool) {
	id := idOf(aws.ToString(m.Body))
	source := m.Attributes[string(types.MessageSystemAttributeNameDeadLetterQueueSourceArn)]
	found[id] = true
	fmt.Fprintf(d.out, "  %-10s DeadLetterQueueSourceArn=%s\n", id, source)
	if source != queueARN(settings.WebhooksQueue) {
		d.wrong = append(d.wrong, fmt.Sprintf("%s: its DeadLetterQueueSourceArn is %q", id, source))
	}
}
