package endpoints

import (
	"crypto/rand"
	"net/http"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// Try is the body of what has an example sent to an endpoint.
type Try struct {
	EventType string `json:"event_type"`
	// Body is any JSON; without it there is one that says that it is an example.
	Body jsontext.Value `json:"body,omitzero"`
}

// Tried is the answer: the example is on its way.
type Tried struct {
	// WebhookID is what to look for among the endpoint's deliveries.
	WebhookID string `json:"webhook_id"`
	EventType string `json:"event_type"`
	// Matches says that the endpoint gets such events when they are published: by its
	// types, and where a body was given by its filter too.
	Matches bool `json:"matches"`
	// State is the endpoint's: the example waits while it is not enabled.
	State endpoint.State `json:"state"`
}

// triedPrefix is what the webhook-id of an example begins with.
const triedPrefix = "test_"

// example is the body where none is given.
type example struct {
	Example   bool   `json:"example"`
	EventType string `json:"event_type"`
	Endpoint  string `json:"endpoint"`
	Note      string `json:"note"`
}

func (h *Handler) tryRoutes() []api.Route {
	return []api.Route{
		{Pattern: "POST " + onEndpoint + "/test", Answer: h.try},
		{Pattern: "POST " + onEndpoint + "/verify", Answer: h.verify},
	}
}

// try answers POST …/test: an example takes the way of every webhook, whatever the
// endpoint subscribes to.
func (h *Handler) try(r *http.Request) (int, any, error) {
	e, err := h.find(r)
	if err != nil {
		return 0, nil, err
	}
	asked, err := readTry(r)
	if err != nil {
		return 0, nil, err
	}
	if h.Webhooks == nil {
		return 0, nil, api.Refuse(http.StatusNotImplemented, "this deployment sends no examples: WEBHOOKS_QUEUE_URL is not set")
	}
	answer := Tried{WebhookID: triedPrefix + rand.Text(), EventType: asked.EventType, State: e.State}
	if len(asked.Body) > 0 {
		ready, err := e.Check()
		answer.Matches = err == nil && ready.Gets(asked.EventType, asked.Body)
	} else {
		answer.Matches = endpoint.Subscribes(e.EventTypes, asked.EventType)
		asked.Body, err = json.Marshal(example{true, asked.EventType, e.ID, "an example, sent by hand: nothing has happened"})
		if err != nil {
			return 0, nil, err
		}
	}
	text := event.Event{ID: answer.WebhookID, Tenant: e.Tenant, Type: asked.EventType, Body: asked.Body}.To(e.ID)
	// A message group of its own, so that it does not wait behind what the endpoint is to have.
	m := waiting.Outgoing{Body: string(text), Group: e.Tenant + "/test"}
	return http.StatusAccepted, answer, put(r.Context(), h.Webhooks, "webhooks", m, "the example can't be sent")
}

func readTry(r *http.Request) (asked Try, err error) {
	body, err := api.Body(r, `such as {"event_type": "invoice.paid"}`)
	if err != nil {
		return asked, err
	}
	if err := json.Unmarshal(body, &asked, json.RejectUnknownMembers(true)); err != nil {
		return asked, api.BadRequest(`the body must be an object such as {"event_type": "invoice.paid", "body": {}}`)
	}
	if problem := endpoint.CheckType(asked.EventType); problem != "" {
		return asked, &message.FieldError{Field: "event_type", Problem: problem}
	}
	return asked, nil
}
