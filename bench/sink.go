package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// sink answers 200 to what comes to /in, 404 at /gone and 503 at /down, and
// counts. It ends with its standard input.
func sink() error {
	c := &counter{}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /in", c.in)
	mux.HandleFunc("POST /in/", c.in)
	mux.HandleFunc("POST /gone", c.refuse(http.StatusNotFound))
	mux.HandleFunc("POST /down/", c.refuse(http.StatusServiceUnavailable))
	mux.HandleFunc("GET /arrivals", c.report)
	return beServed(func(string) (http.Handler, error) { return mux, nil })
}

// arrivals is what the sink saw since it was last asked to forget.
type arrivals struct {
	Count int                  `json:"count"`
	Last  time.Time            `json:"last"`
	ByID  map[string]time.Time `json:"by_id"` // of the ids that begin with "timed"
}

type counter struct {
	mu   sync.Mutex
	seen arrivals
}

func (c *counter) in(_ http.ResponseWriter, r *http.Request) {
	now := time.Now()
	_, _ = io.Copy(io.Discard, r.Body)
	id := r.Header.Get("webhook-id")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen.Count++
	c.seen.Last = now
	if strings.HasPrefix(id, "timed") {
		if c.seen.ByID == nil {
			c.seen.ByID = map[string]time.Time{}
		}
		c.seen.ByID[id] = now
	}
}

func (c *counter) refuse(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.in(w, r)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, shortAnswer)
	}
}

func (c *counter) report(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = json.NewEncoder(w).Encode(c.seen)
	if r.URL.Query().Has("forget") {
		c.seen = arrivals{}
	}
}

// sinkProcess is the sink, seen from the others.
type sinkProcess struct{ *served }

func startSink() (*sinkProcess, error) {
	s, err := serve(self("sink"))
	return &sinkProcess{s}, err
}

func (s *sinkProcess) arrivals(query string) (a arrivals, err error) {
	resp, err := http.Get(s.url + "/arrivals" + query)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	return a, json.NewDecoder(resp.Body).Decode(&a)
}

// wait asks the sink until n webhooks have arrived.
func (s *sinkProcess) wait(n int) (arrivals, error) {
	for until := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		a, err := s.arrivals("")
		if err != nil || a.Count >= n {
			return a, err
		}
		if time.Now().After(until) {
			return a, fmt.Errorf("%d of %d webhooks arrived in %s", a.Count, n, patience)
		}
	}
}
