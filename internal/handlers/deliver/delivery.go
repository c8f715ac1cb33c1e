package deliver

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/trace"
	"github.com/efferent/efferent/internal/webhook"
)

// delivery is one message in one invocation.
type delivery struct {
	*batch.Item
	needs   *Needs
	webhook webhook.Message
	policy  retry.Policy
	keys    webhook.Keys
	signing []webhook.Secret // what signed the exchange at hand
	// to is the registered endpoint that it goes to, nil where the message has its own.
	to *endpoint.Ready
	// seen gathers what the circuits are to be told, and probe are those that this
	// message is the probe of.
	seen  *seen
	probe []circuit.Name
	// turns are those of its endpoint.
	turns *turns
	// inTurn says that it has one, and heard that the endpoint made something of it.
	inTurn, heard bool
	// turn is when it is to be sent, by its endpoint's rate; zero where that has none.
	turn time.Time
	// longest is what an exchange may take at most, whatever the message asks for.
	longest time.Duration
	// record is the attempt at hand.
	record attempt.Record
}

// Prepare decides what is to be done with the message.
func (d *delivery) Prepare(ctx context.Context) {
	var malformed error
	d.webhook, malformed = webhook.Decode([]byte(d.Msg.Body))
	d.Identify(d.webhook.ID, d.webhook.Tenant)
	d.Await = d.await
	if own, ok := d.webhook.Trace(); ok {
		d.Trace = own // which is what its endpoint will see
	}
	if !d.Resume(ctx) {
		return
	}
	d.begin()
	if malformed == nil && !d.find(ctx) {
		return
	}
	if malformed == nil {
		d.policy, malformed = d.Policy(d.webhook.Retry)
	}
	if malformed != nil {
		d.refuse(malformed)
		return
	}
	if err := d.ready(ctx); err != nil {
		d.Trouble("nothing can be sent: " + err.Error())
		return
	}
	if !d.passes(ctx) || d.isHopeless() || !d.linesUp(ctx) {
		return
	}
	if d.to != nil && !d.to.Rotated.IsZero() {
		d.needs.Secrets.Changed(d.webhook.Secret, d.to.Rotated)
	}
	var err error
	d.keys, err = d.needs.Secrets.Keys(ctx, d.webhook.Secret, d.LastEnded())
	if err == nil {
		_, err = d.authorize(ctx, d.LastEnded())
	}
	switch {
	case err == nil:
		d.State = batch.Ready
	case errors.Is(err, webhook.ErrSecretNotFound) || errors.Is(err, webhook.ErrSecretUnusable):
		d.refuse(err)
	default:
		d.Trouble(err.Error())
	}
}

// ready says why nothing can be sent now.
func (d *delivery) ready(ctx context.Context) error {
	if d.needs.Ready == nil {
		return nil
	}
	return d.needs.Ready(ctx)
}

// begin makes the record of the attempt to come.
func (d *delivery) begin() {
	d.record = d.Begin()
	d.record.URL, d.record.EventType, d.record.Tenant = d.webhook.URL, d.webhook.EventType, d.Tenant
	d.record.Endpoint = d.webhook.EndpointID
}

// refuse notes that no exchange can ever be made.
func (d *delivery) refuse(why error) {
	d.record.Verdict, d.record.Reason = attempt.Permanent, why.Error()
	d.FailedBy(webhook.Exchange{Err: why}.Failure())
	d.State = batch.Refused
}

// Record is that of the attempt at hand.
func (d *delivery) Record() attempt.Record { return d.record }

// Run makes the exchange that was announced, or settles what can't be sent.
func (d *delivery) Run(ctx context.Context) {
	if d.State == batch.Refused {
		d.record.At = d.Now()
		d.logFailure(0)
		d.End(d.record)
		return
	}
	if d.awaitTurn(ctx) && d.takeTurn(ctx) {
		for d.exchange(ctx) {
		}
		d.giveTurn()
	}
}

// exchange sends once, settles what came of it, and reports whether another
// exchange is to follow at once. One that the end of the invocation cut, or that
// we could not make, is nothing that the endpoint did.
func (d *delivery) exchange(ctx context.Context) (again bool) {
	d.record.At = d.Now()
	signed := d.needs.signedAt()
	d.signing = d.keys.At(signed)
	request := d.webhook.Request(d.record.WebhookID, d.signing, signed)
	request.Timeout = min(request.Timeout, d.longest)
	var end func(string, ...trace.Attribute)
	request.Trace, end = d.Exchange(http.MethodPost, d.server)
	x := d.needs.Sender.Post(ctx, request)
	end(x.Failure(), trace.Number("http.response.status_code", x.Status))
	if !x.Started.IsZero() { // it may have waited for a connection
		d.record.At = x.Started
	}
	switch {
	case x.Interrupted:
		d.Hold(d.record, "the invocation ended before the exchange did")
		return false
	case x.Ours:
		d.Hold(d.record, x.Err.Error())
		return false
	}
	d.record.Status, d.record.DurationMS = x.Status, x.Duration.Milliseconds()
	d.record.Response, d.record.Truncated = x.Response, x.Truncated
	d.Exchanged(x.Duration, x.Failure())
	d.heard = x.Status != 0 || x.Duration < silence
	verdict, reason := webhook.Classify(x)
	d.tell(ctx, x, verdict, reason)
	if why := d.atOnce(ctx, x, verdict); why != "" {
		return d.tryAgain(batch.Because(reason, why))
	}
	if x.Gone && d.to != nil {
		why := d.disable(ctx, x)
		if verdict != attempt.Delivered {
			d.waitDisabled(batch.Because(reason, why))
			return false
		}
	}
	d.settle(verdict, reason, x.RetryAfter)
	return false
}

// server is what a span says of the exchange: nothing of the path, which may be a
// secret, nor of the query ("Semantic conventions for HTTP spans", HTTP client).
func (d *delivery) server() []trace.Attribute {
	host, port := d.webhook.Server()
	number, _ := strconv.Atoi(port)
	return []trace.Attribute{trace.Text("http.request.method", http.MethodPost), trace.Text("server.address", host),
		trace.Number("server.port", number)}
}

// atOnce says why the next try is made at once, whatever the policy says; empty
// where it is not. Neither is the endpoint's fault, and each happens once: what
// became of a kept connection, and a secret that was replaced since it was
// cached.
func (d *delivery) atOnce(ctx context.Context, x webhook.Exchange, v attempt.Verdict) string {
	switch {
	case x.Lost && !d.triedAtOnce(0):
		return "the connection was kept from before, so trying again at once"
	case v == attempt.Permanent && x.Status/100 == 4 && !d.triedAtOnce(x.Status) && d.renewKeys(ctx):
		return "the secret has changed since it was cached, so trying again at once"
	}
	return ""
}

// triedAtOnce reports whether the message has had its try at once for an
// answer; status 0 is for none. What asks by Retry-After for longer than the
// policy waits is uncounted too.
func (d *delivery) triedAtOnce(status int) bool {
	for _, r := range d.History {
		if r.Uncounted && (r.Status == 0) == (status == 0) && !webhook.MayAsk(r.Status) {
			return true
		}
	}
	return false
}

// renewKeys reports whether a key signs now that did not sign what the endpoint
// just refused, or a header is another one that is a secret. A key that has ended meanwhile is no reason to try again.
func (d *delivery) renewKeys(ctx context.Context) bool {
	now := d.Now()
	changed, err := d.authorize(ctx, now)
	if err != nil {
		return false
	}
	keys, err := d.needs.Secrets.Keys(ctx, d.webhook.Secret, now)
	if err != nil || !keys.Adds(now, d.signing) {
		return changed
	}
	d.keys = keys
	return true
}

// tryAgain settles the attempt at hand and announces the next one, which is an
// attempt of its own, and reports whether that may be made.
func (d *delivery) tryAgain(reason string) bool {
	d.record.Verdict, d.record.Reason, d.record.Uncounted, d.record.NextAt = attempt.Retryable, reason, true, d.Now()
	d.logFailure(0)
	if !d.Keep(d.record) {
		return false
	}
	d.begin()
	return d.Announce()
}
