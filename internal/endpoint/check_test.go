package endpoint

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

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
		"a long label's name":      {func(e *Endpoint) { e.Labels = map[string]string{strings.Repeat("b", 257): "a"} }, "labels"},
		"the longest label": {func(e *Endpoint) {
			e.Labels = map[string]string{strings.Repeat("a", 256): strings.Repeat("b", 256)}
		}, ""},
		"a broken label":        {func(e *Endpoint) { e.Labels = map[string]string{"a": "b\nc"} }, "labels"},
		"a broken label's name": {func(e *Endpoint) { e.Labels = map[string]string{"a\nb": "c"} }, "labels"},
		"paused":                {func(e *Endpoint) { e.State = Paused }, ""},
		"disabled":              {func(e *Endpoint) { e.State = Disabled }, ""},
		"no state":              {func(e *Endpoint) { e.State = "" }, "state"},
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

// TestRosterOrder: endpoints that were read come in the order of their ids in the roster,
// however the store gives them.
func TestRosterOrder(t *testing.T) {
	t.Parallel()
	var found []Endpoint
	for _, id := range []string{"ep_1", "ep_2", "ep_3"} {
		e := sound()
		e.ID = id
		found = append(found, e)
	}
	got := ""
	for _, r := range prepared([]string{"ep_3", "ep_1", "ep_2"}, found) {
		got += r.ID + " "
	}
	if got != "ep_3 ep_1 ep_2 " {
		t.Error(got)
	}
}

// TestForgetting: what is remembered is bounded, and what is fresh is not forgotten.
func TestForgetting(t *testing.T) {
	t.Parallel()
	b, k, noon := Book{}, Known{}, time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	for n := range maxTenants {
		b.keep(strconv.Itoa(n), page{})
	}
	if len(b.byTenant) != 1000 {
		t.Errorf("%d tenants are remembered", len(b.byTenant))
	}
	if b.keep("one more", page{version: 7}); len(b.byTenant) != 1 || b.byTenant["one more"].version != 7 {
		t.Errorf("%d tenants are remembered then", len(b.byTenant))
	}
	for n := range maxKnown {
		k.keep(strconv.Itoa(n), seen{at: noon.Add(time.Duration(n%2) * fresh / 2)})
	}
	if k.keep("a", seen{at: noon.Add(fresh - 1)}); len(k.byID) != 10_001 {
		t.Errorf("while all are fresh %d are remembered", len(k.byID))
	}
	k.forgot = time.Time{}
	if k.keep("b", seen{at: noon.Add(fresh)}); len(k.byID) != 5_002 {
		t.Errorf("when half are old %d are remembered", len(k.byID))
	}
	for n := range maxKnown {
		k.keep("c"+strconv.Itoa(n), seen{at: noon.Add(fresh + fresh/2)})
	}
	if len(k.byID) < 15_000 {
		t.Errorf("they were looked through within a second: %d are remembered", len(k.byID))
	}
	if k.keep("d", seen{at: noon.Add(3 * fresh)}); len(k.byID) != 1 {
		t.Errorf("when all are old %d are remembered", len(k.byID))
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
