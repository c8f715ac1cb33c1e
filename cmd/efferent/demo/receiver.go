package demo

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/efferent/efferent/internal/webhook"
)

// receiver is the other side of the demo: it answers by script and verifies
// what arrives, as a receiver should.
type receiver struct {
	url, closedURL string
	secret         string
	server         *http.Server

	mu       sync.Mutex
	statuses map[string][]int
	arrived  map[string][]arrival
}

// arrival is one request, and what was wrong with it.
type arrival struct {
	body    string
	problem string
}

func newReceiver(secret string) (*receiver, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the demo's receiver: %w", err)
	}
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the demo's receiver: %w", err)
	}
	closed.Close()
	r := &receiver{
		url: "http://" + listener.Addr().String(), closedURL: "http://" + closed.Addr().String(),
		secret: secret, statuses: map[string][]int{}, arrived: map[string][]arrival{},
	}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = r.server.Serve(listener) }()
	return r, nil
}

func (r *receiver) close() { r.server.Close() }

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	id := strings.TrimPrefix(req.URL.Path, "/")
	a := arrival{body: string(body)}
	switch {
	case err != nil:
		a.problem = err.Error()
	case req.Header.Get("webhook-id") != id:
		a.problem = fmt.Sprintf("its webhook-id is %q", req.Header.Get("webhook-id"))
	default:
		a.problem = r.verify(req.Header, body)
	}
	r.mu.Lock()
	r.arrived[id] = append(r.arrived[id], a)
	n, statuses := len(r.arrived[id]), r.statuses[id]
	r.mu.Unlock()
	status := http.StatusTeapot // more came than the script has
	if n <= len(statuses) {
		status = statuses[n-1]
	}
	w.WriteHeader(status)
}

// verify checks both signatures, by Standard Webhooks and by the X- header.
func (r *receiver) verify(h http.Header, body []byte) string {
	if err := webhook.Verify(h, body, time.Now(), r.secret); err != nil {
		return err.Error()
	}
	mac := hmac.New(sha256.New, []byte(r.secret))
	mac.Write(body)
	if want := "sha256=" + hex.EncodeToString(mac.Sum(nil)); !hmac.Equal([]byte(want), []byte(h.Get("X-Webhook-Signature"))) {
		return "its X-Webhook-Signature is wrong"
	}
	return ""
}

// check says what differs in the requests that arrived.
func (r *receiver) check(p *promise) (wrong []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	want := len(p.statuses)
	if p.statuses[0] == 0 {
		want = 0
	}
	if got := len(r.arrived[p.id]); got != want {
		wrong = append(wrong, fmt.Sprintf("%s: %d requests arrived, promised are %d", p.id, got, want))
	}
	for _, a := range r.arrived[p.id] {
		if a.problem != "" {
			wrong = append(wrong, p.id+": "+a.problem)
		}
		if a.body != p.body {
			wrong = append(wrong, p.id+": its body was changed on its way")
		}
	}
	return wrong
}

// idOf is the id of a webhook message.
func idOf(text string) string {
	m, err := webhook.Decode([]byte(text))
	if err != nil {
		return "unreadable"
	}
	return m.ID
}
