package endpoints

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// Recovery is what sending an endpoint what it was never sent takes.
type Recovery struct {
	// Events are those that are kept, as event.Store promises.
	Events interface {
		EventsOf(ctx context.Context, place, after string, limit int) (records []event.Record, next string, err error)
	}
	// History gives the attempts under a webhook-id, as attempt.Store promises.
	History interface {
		OfWebhook(ctx context.Context, webhookID string) ([]attempt.Record, error)
	}
	// Retention is how long events are kept; 0 is event.Retention.
	Retention time.Duration
}

func (r *Recovery) kept() time.Duration {
	if r == nil {
		return event.Retention
	}
	return cmp.Or(r.Retention, event.Retention)
}

// MissingReplay is the body of POST …/replay-missing.
type MissingReplay struct {
	Since time.Time `json:"since"`
	// Until is not within; zero is underWay ago.
	Until time.Time `json:"until,omitzero"`
	// Cursor is what the previous request answered.
	Cursor string `json:"cursor,omitzero"`
}

// Missing is the answer: what came of a part of it.
type Missing struct {
	// Sent is how many events were sent, Examined how many were looked at, and Skipped
	// how many are missing and can't be sent, since their bodies are not kept.
	Sent     int `json:"sent"`
	Examined int `json:"examined"`
	Skipped  int `json:"skipped"`
	// Cursor asks for the rest; empty at the end.
	Cursor string `json:"cursor,omitzero"`
}

const (
	// underWay is how old an event is whose messages should have been received.
	underWay = time.Minute
	// missingTime is how long one request looks, missingPage how many events it reads at
	// a time, and missingReads how many histories.
	missingTime  = 10 * time.Second
	missingPage  = 50
	missingReads = 16
)

func (h *Handler) missingRoutes() []api.Route {
	return []api.Route{{Pattern: "POST " + onEndpoint + "/replay-missing", Answer: h.replayMissing}}
}

// missingCursor is where a request goes on: in an hour, after a key. Until is as the
// first one had it.
type missingCursor struct {
	Hour  time.Time `json:"h"`
	After string    `json:"a,omitzero"`
	Until time.Time `json:"u"`
}

// replayMissing answers POST …/replay-missing: what the endpoint should have had since a
// time, by what it subscribes to now or by what it was meant to get then, and what was
// never tried, is sent to it under the same webhook-id. What waits in the queue still has
// not been tried, and comes twice.
func (h *Handler) replayMissing(r *http.Request) (int, any, error) {
	b, at, err := h.readMissing(r)
	if err != nil {
		return 0, nil, err
	}
	e, err := h.find(r)
	if err != nil {
		return 0, nil, err
	}
	if h.Recovery == nil || h.Webhooks == nil {
		return 0, nil, api.Refuse(http.StatusNotImplemented, "there is no table of events here")
	}
	ready, err := e.Check()
	if err != nil {
		return 0, nil, err
	}
	if err := h.tell(r, e, ledger.EndpointReplayed); err != nil {
		return 0, nil, err
	}
	m := &missing{Handler: h, to: ready, since: b.Since, at: at, end: h.Now().Add(missingTime)}
	err = m.run(r.Context())
	return http.StatusAccepted, m.Missing, err
}

func (h *Handler) readMissing(r *http.Request) (b MissingReplay, at missingCursor, err error) {
	if _, err = api.Object(r, &b, `such as {"since": "2026-11-24T08:00:00Z"}`); err != nil {
		return b, at, err
	}
	now := h.Now().UTC()
	switch {
	case b.Since.IsZero():
		return b, at, api.BadRequest(`field "since": is missing: what was published since then is looked at`)
	case now.Sub(b.Since) > h.Recovery.kept()+time.Hour:
		return b, at, api.BadRequest(`field "since": is longer ago than events are kept, which is %s`, h.Recovery.kept())
	}
	if err := api.CheckTimes(b.Since, b.Until); err != nil {
		return b, at, err
	}
	if b.Cursor != "" {
		if !api.ReadOpaque(b.Cursor, &at) || at.Hour.IsZero() {
			return b, at, api.BadRequest("cursor: is not one that this API gave")
		}
		return b, at, nil
	}
	at = missingCursor{Hour: b.Since.UTC().Truncate(time.Hour), Until: b.Until}
	if latest := now.Add(-underWay); at.Until.IsZero() || at.Until.After(latest) {
		at.Until = latest
	}
	return b, at, nil
}

// missing is one request's way through a tenant's events.
type missing struct {
	*Handler
	to    *endpoint.Ready
	since time.Time
	at    missingCursor
	end   time.Time
	Missing
}

// run looks at events, hour by hour, until none is left or the time is up. What it has
// not come to stays as it is.
func (m *missing) run(ctx context.Context) error {
	for m.at.Hour.Before(m.at.Until) {
		if ctx.Err() != nil || !m.Now().Before(m.end) {
			m.Cursor = api.Opaque(m.at)
			return nil
		}
		records, next, err := m.Recovery.Events.EventsOf(ctx, event.PlaceOf(m.to.Tenant, m.at.Hour), m.at.After, missingPage)
		if err == nil {
			err = m.look(ctx, records)
		}
		if err != nil {
			return m.broken(api.Unavailable("the events can't be read, or not be sent", err))
		}
		if m.at.After = next; next == "" {
			m.at.Hour = m.at.Hour.Add(time.Hour)
		}
	}
	return nil
}

// broken is an error, unless something was sent: then the caller is told of that, and
// goes on from there.
func (m *missing) broken(err error) error {
	if m.Sent == 0 {
		return err
	}
	m.Log.Error("a replay of what is missing broke off", "endpoint", m.to.ID, "replayed", m.Sent, "error", err)
	m.Cursor = api.Opaque(m.at)
	return nil
}

// look sends those of the events that are missing.
func (m *missing) look(ctx context.Context, records []event.Record) error {
	due := slices.DeleteFunc(records, func(e event.Record) bool { return e.At.Before(m.since) || !e.At.Before(m.at.Until) })
	tried := make([]bool, len(due))
	g, reads := errgroup.WithContext(ctx)
	g.SetLimit(missingReads)
	for n := range due {
		g.Go(func() (err error) {
			if tried[n] = !m.wants(&due[n]); !tried[n] {
				tried[n], err = m.tried(reads, &due[n])
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	var letters []waiting.Outgoing
	for n, e := range due {
		switch {
		case tried[n]:
		case e.Body == nil:
			m.Skipped++
		default:
			letters = append(letters, m.letter(&e))
		}
	}
	m.Examined += len(due)
	return m.send(ctx, letters)
}

// wants reports whether the endpoint should have an event.
func (m *missing) wants(e *event.Record) bool {
	return slices.Contains(e.Recipients, m.to.ID) || e.Body != nil && m.to.Gets(e.Type, e.Body)
}

// tried reports whether the endpoint was tried with an event, or what is for it is held.
func (m *missing) tried(ctx context.Context, e *event.Record) (bool, error) {
	records, err := m.Recovery.History.OfWebhook(ctx, e.ID)
	return slices.ContainsFunc(records, func(r attempt.Record) bool { return r.Endpoint == m.to.ID && r.EventType == e.Type }), err
}

func (m *missing) letter(e *event.Record) waiting.Outgoing {
	body := event.Event{ID: e.ID, Tenant: m.to.Tenant, Type: e.Type, Body: e.Body}.To(m.to.ID)
	return waiting.Outgoing{Body: string(body), Group: event.Group(m.to.Tenant, m.to.ID)}
}

// send sends letters; one that SQS can't take is skipped.
func (m *missing) send(ctx context.Context, letters []waiting.Outgoing) error {
	fit := slices.DeleteFunc(letters, func(l waiting.Outgoing) bool { return len(l.Body) > message.MaxSize })
	m.Skipped += len(letters) - len(fit)
	if len(fit) == 0 {
		return nil
	}
	sent, err := m.Webhooks.Send(ctx, "webhooks", fit)
	m.Sent += len(sent)
	return err
}
