package endpoint

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/message"
)

// sound is an endpoint of which nothing is wrong.
func sound() Endpoint {
	return Endpoint{
		ID: "ep_1", Tenant: "acme", URL: "https://a.test/in", EventTypes: []string{"invoice.*"}, Secret: "efferent/webhooks/acme#ep_1",
		State: Enabled, Version: 1,
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	many := func(n int) map[string]string {
		all := map[string]string{}
		for i := range n {
			all["X-"+strings.Repeat("a", i+1)] = "efferent/webhooks/acme"
		}
		return all
	}
	for name, c := range map[string]struct {
		change func(*Endpoint)
		field  string // that is wrong; empty where nothing is
	}{
		"sound":              {func(*Endpoint) {}, ""},
		"no url":             {func(e *Endpoint) { e.URL = "" }, "url"},
		"a user in the url":  {func(e *Endpoint) { e.URL = "https://u:p@a.test" }, "url"},
		"no secret":          {func(e *Endpoint) { e.Secret = "" }, "secret"},
		"the secret itself":  {func(e *Endpoint) { e.Secret = "whsec_abc" }, "secret"},
		"a secret elsewhere": {func(e *Endpoint) { e.Secret = "efferent/smtp" }, "secret"},
		"timeout":            {func(e *Endpoint) { e.Timeout = "2500ms" }, ""},
		"no such timeout":    {func(e *Endpoint) { e.Timeout = "1m" }, "timeout"},
		"no types":           {func(e *Endpoint) { e.EventTypes = nil }, "event_types"},
		"100 types":          {func(e *Endpoint) { e.EventTypes = strings.Split(strings.Repeat("a,", 99)+"a", ",") }, ""},
		"101 types":          {func(e *Endpoint) { e.EventTypes = strings.Split(strings.Repeat("a,", 100)+"a", ",") }, "event_types"},
		"a bad type":         {func(e *Endpoint) { e.EventTypes = []string{"a", "b..c"} }, "event_types"},
		"least rate":         {func(e *Endpoint) { e.RatePerSecond = 1.0 / 3600 }, ""},
		"most rate":          {func(e *Endpoint) { e.RatePerSecond = 10_000 }, ""},
		"too slow":           {func(e *Endpoint) { e.RatePerSecond = 0.0002 }, "rate_per_second"},
		"too fast":           {func(e *Endpoint) { e.RatePerSecond = 10_001 }, "rate_per_second"},
		"backwards":          {func(e *Endpoint) { e.RatePerSecond = -1 }, "rate_per_second"},
		"no number":          {func(e *Endpoint) { e.RatePerSecond = math.NaN() }, "rate_per_second"},
		"headers":            {func(e *Endpoint) { e.Headers = map[string]string{"X-A": "b"} }, ""},
		"an empty map":       {func(e *Endpoint) { e.Headers, e.Auth, e.Labels = many(0), many(0), many(0) }, ""},
		"a header of ours":   {func(e *Endpoint) { e.Headers = map[string]string{"webhook-id": "b"} }, "headers"},
		"a header twice":     {func(e *Endpoint) { e.Headers = map[string]string{"X-A": "b", "x-a": "c"} }, "headers"},
		"a line break":       {func(e *Endpoint) { e.Headers = map[string]string{"X-A": "b\r\nX-B: c"} }, "headers"},
		"30 headers": {func(e *Endpoint) {
			e.Headers, e.Auth = many(29), map[string]string{"Authorization": "efferent/webhooks/a"}
		}, ""},
		"31 headers": {func(e *Endpoint) {
			e.Headers, e.Auth = many(30), map[string]string{"Authorization": "efferent/webhooks/a"}
		}, "headers"},
		"auth is no secret":        {func(e *Endpoint) { e.Auth = map[string]string{"Authorization": "Bearer abc"} }, "auth"},
		"auth as a header of ours": {func(e *Endpoint) { e.Auth = map[string]string{"Webhook-Signature": "efferent/webhooks/a"} }, "auth"},
		"description":              {func(e *Endpoint) { e.Description = strings.Repeat("a", 1024) }, ""},
		"a long description":       {func(e *Endpoint) { e.Description = strings.Repeat("a", 1025) }, "description"},
		"a broken one":             {func(e *Endpoint) { e.Description = "a\nb" }, "description"},
		"50 labels":                {func(e *Endpoint) { e.Labels = many(50) }, ""},
		"51 labels":                {func(e *Endpoint) { e.Labels = many(51) }, "labels"},
		"a label of no name":       {func(e *Endpoint) { e.Labels = map[string]string{"": "b"} }, "labels"},
		"a long label":             {func(e *Endpoint) { e.Labels = map[string]string{"a": strings.Repeat("b", 257)} }, "labels"},
		"paused":                   {func(e *Endpoint) { e.State = Paused }, ""},
		"disabled":                 {func(e *Endpoint) { e.State = Disabled }, ""},
		"no state":                 {func(e *Endpoint) { e.State = "" }, "state"},
	} {
		e := sound()
		c.change(&e)
		ready, err := e.Check()
		var wrong *message.FieldError
		switch {
		case c.field == "" && (err != nil || ready.ID != e.ID):
			t.Errorf("%s: %v", name, err)
		case c.field != "" && (!errors.As(err, &wrong) || wrong.Field != c.field):
			t.Errorf("%s: %v", name, err)
		case err != nil && strings.Contains(err.Error(), "abc"):
			t.Errorf("%s: the error tells the secret: %v", name, err)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	if a, b := NewID(), NewID(); a == b || !IsID(a) || len(a) != 25 {
		t.Error(a, b)
	}
	for _, bad := range []string{"", "ep_", "EP_1", "ep-1", "ep_1 ", "ep_1/..", "ep_" + strings.Repeat("a", 62)} {
		if IsID(bad) {
			t.Errorf("%q is taken for an id", bad)
		}
	}
}
