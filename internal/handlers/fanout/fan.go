package fanout

import (
	"context"
	"fmt"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/metric"
)

// fan is one event in one invocation.
type fan struct {
	*batch.Item
	needs *Needs
	post  *post
	event event.Event
	// endpoints are its tenant's.
	endpoints []*endpoint.Ready
	record    attempt.Record
	// unsent is why not all of its messages are in the queue for certain.
	unsent error
}

// Prepare decides what is to be done with the event.
func (f *fan) Prepare(ctx context.Context) {
	var malformed error
	f.event, malformed = event.Decode([]byte(f.Msg.Body))
	f.Identify(f.event.ID, f.event.Tenant)
	f.event.ID = f.ID
	if !f.Resume(ctx) {
		return
	}
	f.record = f.Begin()
	f.record.Event, f.record.EventType, f.record.Tenant = true, f.event.Type, f.event.Tenant
	if malformed == nil {
		malformed = f.event.Fits()
	}
	if malformed != nil {
		f.record.Verdict, f.record.Reason = attempt.Permanent, malformed.Error()
		f.State = batch.Refused
		return
	}
	var err error
	if f.endpoints, err = f.post.endpoints(ctx, f.event.Tenant); err != nil {
		f.Trouble(fmt.Sprintf("the endpoints of the tenant can't be read: %v", err))
		return
	}
	f.State = batch.Ready
	f.post.expect()
}

// Run fixes the recipients and sends to them, or settles what can't be sent.
func (f *fan) Run(ctx context.Context) {
	f.record.At = f.Now()
	if f.State == batch.Refused {
		f.FailedBy(metric.Malformed)
		f.Log.InfoContext(f.Writes(), "the event is refused", f.Names(), "reason", f.record.Reason)
		f.End(f.record)
		return
	}
	recipients, err := f.recipients(ctx)
	if err != nil {
		f.post.none(ctx)
		f.Hold(f.record, "the event's recipients can't be kept: "+err.Error())
		return
	}
	if err := f.post.send(ctx, f, recipients); err != nil {
		f.Hold(f.record, "not all of its messages were sent: "+err.Error())
		return
	}
	f.Passed(f.record)
}

// recipients are the endpoints that the event goes to: those that match when it is
// first read. Where none does, nothing is kept of it.
func (f *fan) recipients(ctx context.Context) ([]string, error) {
	matching := endpoint.Matching(f.endpoints, f.event.Type, f.event.Body)
	if len(matching) == 0 && f.Receives <= 1 && f.Carried.Anew() {
		return nil, nil
	}
	return f.needs.Events.KeepEvent(ctx, event.Record{
		Tenant: f.event.Tenant, ID: f.ID, Type: f.event.Type, Body: f.event.Body, Hash: event.HashOf(f.event.Type, f.event.Body),
		At: f.First, Recipients: matching,
	})
}

// Record is that of the attempt at hand.
func (f *fan) Record() attempt.Record { return f.record }

// Intent is none: nothing leaves the account.
func (f *fan) Intent() ledger.Entry { return ledger.Entry{} }

// Outcome is none either.
func (f *fan) Outcome(attempt.Record) ledger.Entry { return ledger.Entry{} }
