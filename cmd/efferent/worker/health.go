package worker

import (
	"context"
	"net/http"
	"time"

	"github.com/go-json-experiment/json"
)

// health tells how a worker is. It asks for no token, and says nothing but the
// names of queues and what is wrong with them.
type health struct {
	watches []*queueWatch
	// stopping ends when the worker is about to.
	stopping context.Context
}

// healthReport is what it answers.
type healthReport struct {
	// Status is ok, trouble (a queue is not worked on) or stopping.
	Status string        `json:"status"`
	Queues []queueHealth `json:"queues"`
}

type queueHealth struct {
	Queue  string    `json:"queue"`
	Status string    `json:"status"`
	Reason string    `json:"reason,omitzero"`
	Since  time.Time `json:"since,omitzero"`
}

// before serves the health before what else is served: probes ask by an address,
// not by a name that is allowed. /healthz is 200 while the process answers, for a
// new one would be no better; /readyz is 503 while a queue is not worked on.
func (h *health) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/healthz":
			h.answer(w, http.StatusOK)
		case "/readyz":
			h.answer(w, http.StatusServiceUnavailable)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// answer reports, with a status of its own where not all is well.
func (h *health) answer(w http.ResponseWriter, unwell int) {
	report := h.report()
	status := http.StatusOK
	if report.Status != "ok" {
		status = unwell
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.MarshalWrite(w, report)
}

func (h *health) report() healthReport {
	report := healthReport{Status: "ok"}
	for _, watch := range h.watches {
		q := queueHealth{Queue: watch.name, Status: "ok"}
		if t := watch.state(); t.Reason != "" {
			q.Status, q.Reason, q.Since = "trouble", t.Reason, t.Since
			report.Status = "trouble"
		}
		report.Queues = append(report.Queues, q)
	}
	if h.stopping.Err() != nil {
		report.Status = "stopping"
	}
	return report
}
