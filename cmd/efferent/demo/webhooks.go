package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/produce"
	"github.com/efferent/efferent/internal/attempt"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/webhook"
)

// demoSecret is the name of the secret that the demo signs with.
const demoSecret = "efferent/webhooks/demo"

// webhooks plays webhooks that arrive, fail, are retried and parked.
func (d *demo) webhooks(ctx context.Context) error {
	secret := webhook.NewSecret("")
	if err := awssecrets.Put(ctx, secretsmanager.NewFromConfig(d.aws), demoSecret, secret); err != nil {
		return err
	}
	to, err := newReceiver(secret)
	if err != nil {
		return err
	}
	defer to.close()
	fmt.Fprintf(d.out, "Four webhooks go onto the queue %q, for a receiver on this machine:\n\n", settings.WebhooksQueue)
	var acts []act
	var parked []string
	deliveries := to.script()
	for _, p := range deliveries {
		c := produce.SendCommand{URL: p.url, Secret: demoSecret, Event: "demo." + p.id, Body: p.body, ID: p.id}
		text, err := c.Message()
		if err != nil {
			return err
		}
		if err := d.put(ctx, settings.WebhooksQueue, p.id, text); err != nil {
			return err
		}
		fmt.Fprintf(d.out, "  %-10s %s\n", p.id, p.story)
		acts = append(acts, p)
		if p.verdict != attempt.Delivered {
			parked = append(parked, p.id)
		}
	}
	fmt.Fprintf(d.out, "\n%8s  %-10s %-7s %-6s %s\n", "AFTER", "WEBHOOK", "ATTEMPT", "STATUS", "VERDICT")
	if err := d.follow(ctx, acts, d.printWebhook); err != nil {
		return err
	}
	for _, p := range deliveries {
		d.wrong = append(d.wrong, to.check(p)...)
	}
	return d.checkFailures(ctx, deadletter.WebhookFailures, settings.WebhooksQueue, parked, idOf)
}

func (d *demo) printWebhook(a act, r attempt.Record) {
	what := r.Reason
	switch {
	case r.Verdict == attempt.Delivered:
		what = "both signatures are right"
	case !r.NextAt.IsZero():
		what += fmt.Sprintf("; next try in %s", r.NextAt.Sub(r.At).Round(time.Second))
	}
	d.show(fmt.Sprintf("%7.2fs  %-10s %-7d %-6s %-10s ", d.after(r), a.name(), r.Attempt, console.StatusText(r.Status), r.Verdict), what)
}

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

func (p *promise) name() string            { return p.id }
func (p *promise) seen() *[]attempt.Record { return &p.attempts }

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
			wrong = append(wrong, fmt.Sprintf("%s: attempt %d ended with %d, %s; promised is %d, %s", p.id, i+1, r.Status, r.Verdict, p.statuses[i],
				verdict))
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
