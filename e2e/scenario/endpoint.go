package scenario

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Arrival is one request that came.
type Arrival struct {
	At     time.Time
	Header http.Header
	Body   string
}

// Endpoint is a receiver that answers as told and remembers what came.
type Endpoint struct {
	*httptest.Server
	// Seen has the webhook-id of each arrival.
	Seen chan string

	mu      sync.Mutex
	arrived map[string][]Arrival
}

// OK answers 200.
func OK(http.ResponseWriter, *http.Request, int) {}

// NewEndpoint starts a receiver that ends with the test. nth counts the
// requests of one webhook-id, from 1.
func NewEndpoint(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, nth int)) *Endpoint {
	t.Helper()
	e := &Endpoint{arrived: map[string][]Arrival{}, Seen: make(chan string, 100_000)}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions { // it is asked, and gets nothing
			answer(w, r, 0)
			return
		}
		now := time.Now()
		body, _ := io.ReadAll(r.Body)
		id := r.Header.Get("webhook-id")
		e.mu.Lock()
		e.arrived[id] = append(e.arrived[id], Arrival{now, r.Header, string(body)})
		nth := len(e.arrived[id])
		e.mu.Unlock()
		e.Seen <- id
		answer(w, r, nth)
	}))
	t.Cleanup(e.Close)
	return e
}

// Arrivals are the requests of one webhook-id, in order.
func (e *Endpoint) Arrivals(id string) []Arrival {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]Arrival(nil), e.arrived[id]...)
}

// Accepts is what a receiver who has that secret and no other makes of an
// arrival's webhook-signature, with the Standard Webhooks library: nil, or why it
// is refused.
func (a Arrival) Accepts(t *testing.T, secret string) error {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return verifier.Verify([]byte(a.Body), a.Header)
}

// Verify checks an arrival's signatures, with the Standard Webhooks library
// and by hand.
func (a Arrival) Verify(t *testing.T, secret string) {
	t.Helper()
	if err := a.Accepts(t, secret); err != nil {
		t.Error(err)
	}
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(a.Body))
	if got, want := a.Header.Get("X-Webhook-Signature"), "sha256="+hex.EncodeToString(mac.Sum(nil)); got != want {
		t.Errorf("X-Webhook-Signature is %s, want %s", got, want)
	}
}
