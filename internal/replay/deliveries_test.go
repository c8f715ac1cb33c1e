package replay

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
)

type history map[string][]attempt.Record

func (h history) OfWebhook(_ context.Context, id string) ([]attempt.Record, error) {
	if id == "broken" {
		return nil, errors.New("throttled: secret detail")
	}
	return h[id], nil
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	h := &Handler{Log: slog.New(slog.DiscardHandler), History: history{"evt_1": {
		{WebhookID: "evt_1", MessageID: "a", Attempt: 1, At: at.Add(time.Minute), Verdict: attempt.Delivered, Status: 200},
		{WebhookID: "evt_1", MessageID: "b", Attempt: 2, At: at, Verdict: attempt.Exhausted},
		{WebhookID: "evt_1", MessageID: "b", Attempt: 1, At: at, Verdict: attempt.Retryable, Reason: "503"},
	}}}
	for _, c := range []struct {
		name, method, path, contentType string
		status                          int
		contains                        string
	}{
		{"known", "GET", "/api/v1/deliveries/evt_1", "application/json", 200, `"attempts":[{"webhook_id":"evt_1","message_id":"b","attempt":1,`},
		{"unknown", "GET", "/api/v1/deliveries/evt_2", "application/problem+json", 404, "older than 30 days"},
		{"store is down", "GET", "/api/v1/deliveries/broken", "application/problem+json", 503, "try again"},
		{"no such path", "GET", "/api/v2", "application/problem+json", 404, "no GET /api/v2"},
		{"another method", "POST", "/api/v1/deliveries/evt_1", "application/problem+json", 404, "no POST"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			h.Routes().ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
			if w.Code != c.status || w.Header().Get("Content-Type") != c.contentType {
				t.Errorf("got %d %s, want %d %s", w.Code, w.Header().Get("Content-Type"), c.status, c.contentType)
			}
			if !json.Valid(w.Body.Bytes()) || !strings.Contains(w.Body.String(), c.contains) {
				t.Errorf("got %s, want it to hold %s", w.Body, c.contains)
			}
			if strings.Contains(w.Body.String(), "secret detail") {
				t.Error("the answer shows an inner error")
			}
		})
	}
}

func TestDeliveryIsInOrder(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
	h := &Handler{History: history{"e": {
		{MessageID: "a", Attempt: 1, At: at.Add(time.Minute)}, {MessageID: "b", Attempt: 2, At: at}, {MessageID: "b", Attempt: 1, At: at},
	}}}
	w := httptest.NewRecorder()
	h.Routes().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/deliveries/e", nil))
	var got Delivery
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	var order []string
	for _, r := range got.Attempts {
		order = append(order, r.SortKey())
	}
	if want := "b#0001 b#0002 a#0001"; strings.Join(order, " ") != want {
		t.Errorf("got %v, want %s", order, want)
	}
}
