package schemas_test

import (
	"math/rand/v2"
	"testing"
)

var (
	nearTypes = func(r *rand.Rand) string {
		return quote(pick(r, []string{strange(r, "invoice.paid"), long(r, "a", 256), "a..b", ".a", "a.", "*", "a.*", " a", "a ", "a .b",
			"Order Placed",
			"com.acme/v1", "ä", "", "a. b", ". ."}))
	}
	nearOwner = func(r *rand.Rand) string {
		return quote(pick(r, []string{strange(r, "acme"), long(r, "a", 100), "", "a/b", "@a", "a@b.c", "-a", "_", "ä", "a b"}))
	}
)

// registeredKind are webhooks to registered endpoints.
var registeredKind = kind{
	required: []string{"endpoint", "event_type", "body"}, rich: []string{"endpoint", "headers"},
	good: map[string][]string{
		"endpoint":   {`"ep_2Ck9mUPxQbqVZ9yTzTZmJ4"`, `"ep_a"`},
		"event_type": webhookKind.good["event_type"], "body": webhookKind.good["body"], "id": webhookKind.good["id"],
		"tenant": webhookKind.good["tenant"], "headers": webhookKind.good["headers"], "retry": webhookKind.good["retry"],
		"timeout": webhookKind.good["timeout"],
	},
	near: map[string]func(*rand.Rand) string{
		"endpoint": func(r *rand.Rand) string {
			return quote(pick(r, []string{strange(r, "ep_a"), "ep_" + long(r, "a", 61), "", "ep_", "EP_a", "ep-a", "ep_ä"}))
		},
		"id": nearID, "tenant": nearTenant, "headers": nearHeaders, "timeout": nearTimeout, "event_type": webhookKind.near["event_type"],
		"body": webhookKind.near["body"], "retry": odd, "url": nearURL, "secret": nearSecret,
	},
}

// eventKind are events in Efferent's own shape.
var eventKind = kind{
	required: []string{"tenant", "event_type", "body"}, rich: []string{"tenant", "event_type"},
	good: map[string][]string{
		"id": {`"evt_1042"`}, "tenant": {`"acme"`, `"a@b.c"`, `"0"`}, "event_type": {`"invoice.paid"`, `"Order Placed"`, `"a"`},
		"body": webhookKind.good["body"],
	},
	near: map[string]func(*rand.Rand) string{
		"id": nearID, "tenant": nearOwner, "event_type": nearTypes, "body": webhookKind.near["body"],
	},
}

// TestShapesAgree has events in the shapes of others read by the schema and by the
// reader.
func TestShapesAgree(t *testing.T) {
	t.Parallel()
	c := publishedEvents(t)
	for message, want := range map[string]string{
		`{"specversion":"1.0","id":"1","source":"s","type":"a","tenant":"acme","data":1}`:                                          "accepted",
		`{"specversion":"1.0","id":"1","source":"s","type":"a","subject":"acme","data":null,"time":"2026-01-01T00:00:00Z","x1":2}`: "accepted",
		`{"specversion":"1.0","id":"1","source":"s","type":"a","subject":"x/y","tenant":"acme","data":1}`:                          "accepted",
		`{"specversion":"1.0","id":"1","source":"s","type":"a","subject":"x/y","data":1}`:                                          "refused",
		`{"specversion":"1.0","id":"1","source":"s","type":"a","subject":"acme","tenant":"x/y","data":1}`:                          "refused",
		`{"specversion":"0.3","id":"1","source":"s","type":"a","tenant":"acme","data":1}`:                                          "refused",
		`{"specversion":"1.0","id":"","source":"s","type":"a","tenant":"acme","data":1}`:                                           "refused",
		`{"specversion":"1.0","id":"1","source":"s","type":"a","tenant":"acme","data_base64":"eA=="}`:                              "refused",
		`{"specversion":"1.0","id":"1","source":"s","type":"a","tenant":"acme","data":1,"data_base64":"eA=="}`:                     "refused",
		`{"specversion":"1.0","id":"1","source":"s","type":"a","tenant":"acme","data":1,"Event_type":"a"}`:                         "refused",
		`{"specversion":"1.0","id":"1","source":"s","type":"a","tenant":"acme","data":1,"datacontenttype":7}`:                      "refused",
		`{"version":"0","id":"1","detail-type":"Order Placed","source":"s","detail":{"tenant":"acme"}}`:                            "accepted",
		`{"detail-type":"a","detail":{"tenant":"acme","b":[]}}`:                                                                    "accepted",
		`{"detail-type":"a","detail":{"tenant":7}}`:                                                                                "refused",
		`{"detail-type":"a","detail":[]}`:                                "refused",
		`{"detail-type":"a","detail":{}}`:                                "refused",
		`{"detail-type":"a","detail":{"tenant":"acme"},"tenant":"acme"}`: "refused",
		`{"detail-type":"a","tenant":"acme"}`:                            "refused",
	} {
		if got, complaint := c.compare([]byte(message)); got != want {
			t.Errorf("%s: %s, want %s; %s", message, got, want, complaint)
		}
	}
}
