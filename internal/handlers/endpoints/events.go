package endpoints

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// Publishing is what publishing events takes.
type Publishing struct {
	// Book gives the endpoints of tenants.
	Book *endpoint.Book
	Keys event.Keys
	// Sender sends to the queue events.
	Sender waiting.Sender
	// Wait pauses for d, or less if ctx ends before.
	Wait func(ctx context.Context, d time.Duration)
}

// Published is the answer to POST /api/v1/events.
type Published struct {
	// ID is the event's, which becomes the webhook-id.
	ID        string `json:"id"`
	Tenant    string `json:"tenant"`
	EventType string `json:"event_type"`
	// Endpoints are the ids of those that match.
	Endpoints []string `json:"endpoints"`
	// DryRun says that nothing was published.
	DryRun bool `json:"dry_run,omitzero"`
}

func (h *Handler) eventRoutes() []api.Route {
	if h.Publishing == nil {
		return nil
	}
	return []api.Route{{Pattern: "POST /api/v1/events", Parameters: []string{"dry_run"}, AnyTenant: true, MaxBody: message.MaxSize,
		Answer: h.publish}}
}

// publish answers POST /api/v1/events. What a crash anywhere may rely on: the key is
// kept before the event is sent, and marked after; a request that finds it unmarked for
// longer than a request takes sends the same event again.
func (h *Handler) publish(r *http.Request) (int, any, error) {
	dry, err := dryRun(r)
	if err != nil {
		return 0, nil, err
	}
	name, err := idempotencyKey(r)
	if err != nil {
		return 0, nil, err
	}
	e, err := readEvent(r)
	if err != nil {
		return 0, nil, err
	}
	hash, err := e.RequestHash()
	if err != nil {
		return 0, nil, api.BadRequest("the body can't be compared with that of another request: %v", err)
	}
	e.ID = cmp.Or(e.ID, "evt_"+rand.Text())
	if err := e.Fits(); err != nil {
		return 0, nil, api.Refuse(http.StatusRequestEntityTooLarge, "%s", err.Error())
	}
	all, err := h.Publishing.Book.Of(r.Context(), e.Tenant)
	if err != nil {
		return 0, nil, api.Unavailable("the tenant's endpoints can't be read", err)
	}
	out := Published{ID: e.ID, Tenant: e.Tenant, EventType: e.Type, Endpoints: append([]string{}, endpoint.Matching(all, e.Type, e.Body)...)}
	switch {
	case dry:
		out.DryRun = true
		return http.StatusOK, out, nil
	case name == "":
		return http.StatusAccepted, out, h.send(r.Context(), e)
	}
	return h.publishOnce(r.Context(), e, out, event.Key{Tenant: e.Tenant, Name: name, Hash: hash, EventID: e.ID, Endpoints: out.Endpoints,
		At: h.Now(), Holder: rand.Text()})
}

func dryRun(r *http.Request) (bool, error) {
	switch text := r.URL.Query().Get("dry_run"); text {
	case "true":
		return true, nil
	case "", "false":
		return false, nil
	default:
		return false, api.BadRequest("parameter dry_run: %.40q is neither true nor false", text)
	}
}

// maxKey is how long an Idempotency-Key may be.
const maxKey = 255

// idempotencyKey is the request's ("The Idempotency-Key HTTP Header Field", an Internet
// Draft); empty where it has none.
func idempotencyKey(r *http.Request) (string, error) {
	given := r.Header.Values("Idempotency-Key")
	if len(given) == 0 {
		return "", nil
	}
	name := strings.Trim(given[0], " \t")
	if len(name) > 1 && name[0] == '"' && name[len(name)-1] == '"' { // a string, as the draft has it
		name = name[1 : len(name)-1]
	}
	visible := !strings.ContainsFunc(name, func(c rune) bool { return c < '!' || c > '~' })
	if len(given) > 1 || name == "" || len(name) > maxKey || !visible {
		return "", api.BadRequest("the header Idempotency-Key must be 1 to %d visible characters of ASCII, and stand there once", maxKey)
	}
	return name, nil
}

// readEvent reads the event that a request publishes, for a tenant that its caller may
// act for.
func readEvent(r *http.Request) (e event.Event, err error) {
	data, err := api.Body(r, `such as {"tenant": "acme", "event_type": "invoice.paid", "body": {}}`)
	if err != nil {
		return e, err
	}
	if data, err = structured(r.Header, data); err != nil {
		return e, err
	}
	e, err = event.Decode(data)
	var wrong *message.FieldError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "":
		return e, api.BadRequest("the body %s", wrong.Problem)
	case err != nil:
		return e, err
	}
	if only := api.CallerOf(r).Tenant; only != "" && only != e.Tenant {
		return e, api.Refuse(http.StatusForbidden, "this caller is limited to the tenant %s", only)
	}
	return e, nil
}

// send puts an event on its queue.
func (h *Handler) send(ctx context.Context, e event.Event) error {
	m := waiting.Outgoing{Body: string(e.Text()), Group: e.Tenant}
	return put(ctx, h.Publishing.Sender, "events", m, "the event may not have been published")
}

const (
	// patience is how long a request waits for another of the same key that is under
	// way, looking again every so often: no send takes longer, unless its process is gone.
	patience  = 5 * time.Second
	lookAgain = 100 * time.Millisecond
)

// publishOnce publishes an event unless its key stands for a request before.
func (h *Handler) publishOnce(ctx context.Context, e event.Event, out Published, mine event.Key) (int, any, error) {
	key, err := h.Publishing.Keys.TakeKey(ctx, mine)
	for waited := time.Duration(0); err == nil && key.Holder != mine.Holder && key.Hash == mine.Hash && !key.Sent && waited < patience; {
		h.Publishing.Wait(ctx, lookAgain)
		waited += lookAgain
		key, err = h.Publishing.Keys.TakeKey(ctx, mine)
	}
	if err != nil {
		return 0, nil, api.Unavailable("nothing was published: the Idempotency-Key can't be kept", err)
	}
	if key.Hash != mine.Hash {
		return 0, nil, api.Refuse(http.StatusUnprocessableEntity, "the Idempotency-Key was used for another event within the last 24 hours")
	}
	e.ID, out.ID, out.Endpoints = key.EventID, key.EventID, append([]string{}, key.Endpoints...)
	if key.Sent {
		return http.StatusAccepted, api.Tagged{Replayed: true, Value: out}, nil
	}
	if err := h.send(ctx, e); err != nil {
		return 0, nil, err
	}
	key.Sent = true
	if err := h.Publishing.Keys.PutKey(ctx, key); err != nil {
		h.Log.WarnContext(ctx, "an Idempotency-Key was not marked as used up; its next request publishes the same event again", "error", err)
	}
	return http.StatusAccepted, api.Tagged{Replayed: key.Holder != mine.Holder, Value: out}, nil
}
