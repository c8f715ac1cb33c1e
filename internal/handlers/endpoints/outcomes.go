package endpoints

import (
	"context"
	"maps"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/outcome"
)

// tellProducers tells of a change that is kept: that there is one, and, where that is
// news, that the endpoint is disabled or verified.
func (h *Handler) tellProducers(ctx context.Context, was, is endpoint.Endpoint) {
	if h.Outcomes == nil {
		return
	}
	d := outcome.Endpoint{Tenant: is.Tenant, URL: is.URL, State: string(is.State), Reason: is.Why, Version: is.Version,
		Changed: changed(was, is)}
	events := []outcome.Event{outcome.OfEndpoint(outcome.Updated, is.Updated, is.ID, d)}
	if is.State == endpoint.Disabled && was.State != endpoint.Disabled {
		events = append(events, outcome.OfEndpoint(outcome.Disabled, is.Updated, is.ID, d))
	}
	if is.Verified.After(was.Verified) {
		events = append(events, outcome.OfEndpoint(outcome.Verified, is.Updated, is.ID, d))
	}
	h.Outcomes.Now(ctx, h.Metrics, h.Log, events...)
}

// tellDeleted tells that an endpoint is no more.
func (h *Handler) tellDeleted(ctx context.Context, e endpoint.Endpoint) {
	d := outcome.Endpoint{Tenant: e.Tenant, URL: e.URL, State: "deleted", Version: e.Version + 1}
	h.Outcomes.Now(ctx, h.Metrics, h.Log, outcome.OfEndpoint(outcome.Updated, h.Now().UTC(), e.ID, d))
}

// changed are the fields that are not as they were.
func changed(was, is endpoint.Endpoint) (names []string) {
	before, after := fieldsOf(was), fieldsOf(is)
	for _, name := range slices.Sorted(maps.Keys(after)) {
		if string(before[name]) != string(after[name]) && name != "version" && name != "updated" {
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(before)) {
		if _, ok := after[name]; !ok {
			names = append(names, name)
		}
	}
	return names
}

func fieldsOf(e endpoint.Endpoint) map[string]jsontext.Value {
	var fields map[string]jsontext.Value
	if b, err := json.Marshal(e, json.Deterministic(true)); err == nil {
		_ = json.Unmarshal(b, &fields)
	}
	return fields
}
