package deliver

import (
	"context"
	"fmt"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/waiting"
	"github.com/efferent/efferent/internal/webhook"
)

// Circuits are the breakers of endpoints, as circuit.Keeper keeps them. They are
// used by many goroutines at once.
type Circuits interface {
	// Ask rules on a message that is to be sent now.
	Ask(ctx context.Context, names ...circuit.Name) circuit.Ruling
	// Tell adds what came of exchanges.
	Tell(ctx context.Context, results []circuit.Result)
	// Await says that messages wait for a circuit in the room. Without it they may
	// wait there for ever.
	Await(ctx context.Context, name circuit.Name) error
}

// seen are the results of a batch that the circuits are still to be told of.
type seen struct {
	circuits Circuits
	batch.Gathering
	results []circuit.Result
}

// tellTime is how long a result waits for others of the same batch, so that they
// are one write.
const tellTime = 50 * time.Millisecond

func (s *seen) add(ctx context.Context, r circuit.Result) {
	s.Lock()
	defer s.Unlock()
	s.results = append(s.results, r)
	s.Soon(tellTime, func() { s.tell(context.WithoutCancel(ctx)) })
}

func (s *seen) tell(ctx context.Context) {
	s.Lock()
	results := s.results
	s.results = nil
	s.Unlock()
	if len(results) > 0 {
		s.circuits.Tell(ctx, results)
	}
}

func (s *seen) finish(ctx context.Context) {
	s.Settle()
	s.tell(ctx)
}

// names are whose circuits the message depends on.
func (d *delivery) names() (own, host circuit.Name) {
	path, origin := d.webhook.Endpoint()
	own, host = circuit.Name{Scope: circuit.Endpoint, Tenant: d.webhook.Tenant, URL: path}, circuit.Name{Scope: circuit.Host, URL: origin}
	if id := d.webhook.EndpointID; id != "" {
		own = endpoint.Circuit(id)
	}
	return own, host
}

// await tells the circuit of an item that messages wait for it. Of a registered
// endpoint the URL may be another by now than the item's.
func (d *delivery) await(ctx context.Context, i *waiting.Item) error {
	endpoint, host := d.names()
	_, was, _ := webhook.EndpointOf(i.URL)
	for _, n := range []circuit.Name{endpoint, host, {Scope: circuit.Host, URL: was}} {
		if n.Key() == i.Circuit {
			return d.needs.Circuits.Await(ctx, n)
		}
	}
	return fmt.Errorf("the circuit %s is not that of %s", i.Circuit, endpoint.URL)
}

// passes reports whether the circuits let the message pass now. Otherwise it is
// settled later: it waits, or is not sent at all.
func (d *delivery) passes(ctx context.Context) bool {
	endpoint, host := d.names()
	ruling := d.needs.Circuits.Ask(ctx, endpoint, host)
	d.probe = ruling.Probe
	if !ruling.Go {
		d.Later(func() { d.blocked(ruling) })
	}
	return ruling.Go
}

const (
	// neverSent is the status of what an open circuit keeps back.
	neverSent = 503
	// fewHidden is how many messages a circuit that is soon probed keeps in the queue,
	// by each process: the probe is one of them. SQS has room for 120,000 hidden ones
	// of all endpoints ("Amazon SQS message quotas"); more leave it at once.
	fewHidden = 10
)

// blocked settles a message that an open circuit keeps back.
func (d *delivery) blocked(r circuit.Ruling) {
	d.record.Status = neverSent
	why := fmt.Sprintf("never sent: the circuit of %s is open: %s", r.State.URL, r.State.Why)
	if r.Never {
		d.record.Reason = why
		d.FailedBy(metric.Gone)
		d.Exhaust(d.record, "it stays open until an operator closes it")
		return
	}
	h := d.holdFor(r)
	h.Why = why
	d.HoldFor(d.record, h)
}

// holdFor is how a message waits for an open circuit. What its endpoint, or an
// operator, wants is not counted as being held for it.
func (d *delivery) holdFor(r circuit.Ruling) batch.Hold {
	h := batch.Hold{Circuit: r.State.Key(), Leave: r.Nth > fewHidden, Wait: max(r.Until.Sub(d.Now()), time.Second)}
	switch {
	case r.State.Halted(): // nobody knows for how long; what is too large for the room has its receives for it
		h.Reason, h.Leave, h.Wait = waiting.Delay, true, retry.Blind(d.Receives)
	case r.State.Asked:
		h.Reason = waiting.Asked
	default:
		h.Reason, h.Most = waiting.Circuit, d.needs.MostHeld
	}
	return h
}

// tell tells the circuits of an exchange. What was cut or lost, or was our own
// trouble, says nothing about the endpoint.
func (d *delivery) tell(ctx context.Context, x webhook.Exchange, v attempt.Verdict, reason string) {
	if x.Lost {
		return
	}
	endpoint, host := d.names()
	r := circuit.Result{
		Endpoint: endpoint, Host: host, Slow: x.Slow, Why: reason, Probe: d.probe,
		Failed: v == attempt.Retryable, Unreachable: x.Unreachable, Gone: x.Gone,
	}
	if d.to != nil {
		r.Enabled, r.Delivered = d.to.StateSince(), v == attempt.Delivered
		r.Gone, r.Refused = false, v == attempt.Permanent && x.Status != 0 && !x.Abort && !x.Gone
	}
	if x.RetryAfter > 0 {
		r.Until = d.Now().Add(min(x.RetryAfter, retry.MaxWait))
	}
	d.probe = nil
	d.seen.add(ctx, r)
}
