package endpoint_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/message"
)

func patched() endpoint.Endpoint {
	at := time.Date(2026, 11, 26, 8, 0, 0, 123456789, time.UTC)
	return endpoint.Endpoint{ID: "ep_1", Tenant: "acme", URL: "https://a.test/", EventTypes: []string{"a", "b"},
		Secret:  "efferent/webhooks/acme",
		Headers: map[string]string{"X-A": "1", "X-B": "2"}, Filter: jsontext.Value(`{"a":[1],"b":[2]}`), RatePerSecond: 2.5,
		State: endpoint.Paused, Why: "ann", Since: at, Created: at, Updated: at, Version: 3}
}

func TestPatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ patch, want string }{
		{`{}`, ``},
		{`{"url":"https://b.test/"}`, `"url":"https://b.test/"`},
		{`{"event_types":["c"]}`, `"event_types":["c"]`},
		{`{"headers":{"X-A":null,"X-C":"3"}}`, `"headers":{"X-B":"2","X-C":"3"}`},
		{`{"headers":{}}`, `"headers":{"X-A":"1","X-B":"2"}`},
		{`{"headers":{"X-A":null,"X-B":null}}`, `-headers`},
		{`{"headers":null,"auth":{}}`, `-headers`},
		{`{"auth":{}}`, `-auth`},
		{`{"filter":{"b":null}}`, `"filter":{"a":[1]}`},
		{`{"filter":{"a":null,"b":null}}`, `-filter`},
		{`{"rate_per_second":null}`, `-rate_per_second`},
		{`{"id":"ep_1","tenant":"acme","state_reason":"ann","version":3,"created":"2026-11-26T08:00:00.123456789Z"}`, ``},
		{`{"state":"enabled"}`, `"state":"enabled"`},
	} {
		got, err := patched().Patch(jsontext.Value(c.patch))
		if err != nil {
			t.Errorf("%s: %v", c.patch, err)
			continue
		}
		text, err := json.Marshal(got, json.Deterministic(true))
		if err != nil {
			t.Fatal(err)
		}
		without, isWithout := strings.CutPrefix(c.want, "-")
		if isWithout && strings.Contains(string(text), `"`+without+`"`) || !isWithout && !strings.Contains(string(text), c.want) {
			t.Errorf("%s: got %s", c.patch, text)
		}
	}
}

func TestPatchesThatAreNone(t *testing.T) {
	t.Parallel()
	for patch, field := range map[string]string{
		`null`: "", `[]`: "", `"a"`: "", `{`: "", `{"url":"a","url":"b"}`: "", `{"headers":{"a":"1","a":"2"}}`: "",
		`{"id":"ep_2"}`: "id", `{"tenant":"beta"}`: "tenant", `{"tenant":null}`: "tenant",
		`{"created":"2020-01-01T00:00:00Z"}`: "created",
		`{"state_since":"x"}`:                "state_since", `{"color":"red"}`: "color", `{"URL":"x"}`: "URL", `{"url":7}`: "url",
		`{"headers":{"a":1}}`: "headers",
		`{"event_types":"a"}`: "event_types", `{"rate_per_second":"fast"}`: "rate_per_second", `{"labels":[]}`: "labels",
		`{"version":null}`: "version", `{"version":"3"}`: "version", `{"version":0}`: "version",
	} {
		_, err := patched().Patch(jsontext.Value(patch))
		var wrong *message.FieldError
		if err == nil || errors.As(err, &wrong) != (field != "") || field != "" && wrong.Field != field {
			t.Errorf("%s: got %v", patch, err)
		}
	}
	for _, patch := range []string{`{"version":2}`, `{"version":4}`} {
		if _, err := patched().Patch(jsontext.Value(patch)); !errors.Is(err, endpoint.ErrChanged) {
			t.Errorf("%s: got %v", patch, err)
		}
	}
}

// FuzzPatch: a patch that is taken changes nothing that no patch may change, and what
// comes of it can be read again.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{`{}`, `{"headers":{"a":null}}`, `{"filter":{"a":{"b":null}}}`, `{"version":3,"url":"x"}`,
		`{"id":"ep_1"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, patch []byte) {
		was := patched()
		got, err := was.Patch(patch)
		if err != nil {
			return
		}
		if got.ID != was.ID || got.Tenant != was.Tenant || got.Version != was.Version || !got.Created.Equal(was.Created) ||
			got.Why != was.Why {
			t.Errorf("%s made %+v", patch, got)
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := endpoint.Read(text); err != nil {
			t.Errorf("%s made %s, which is none: %v", patch, text, err)
		}
	})
}
