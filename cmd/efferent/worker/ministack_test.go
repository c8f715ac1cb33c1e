//go:build e2e

package worker

import (
	"net/http"
	"strings"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/ownqueues"
	"github.com/efferent/efferent/e2e/ministack"
	"github.com/efferent/efferent/e2e/scenario"
)

// TestWorkerOnMiniStack: its queues are made, made once, and worked on.
func TestWorkerOnMiniStack(t *testing.T) {
	s := commandtest.ConnectTo(t, ministack.Start(t, false).URL, "")
	if out := s.Queues(t, "--prefix", "p-"); strings.Count(out, "  made") != len(ownqueues.Names()) {
		t.Errorf("queues create says %s", out)
	}
	if out := s.Queues(t, "--prefix", "p-"); strings.Count(out, "  is there\n") != len(ownqueues.Names()) || strings.Contains(out, "should") {
		t.Errorf("a second time it says %s", out)
	}
	s.Prefix = "p-"
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	startWorkerOn(t, s, t.TempDir()+"/w.db", "--prefix", "p-")
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, r *http.Request, _ int) {
		if r.URL.Path == "/missing" {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	s.Send(t, scenario.Text("evt_well", e.URL), scenario.Text("evt_ill", e.URL+"/missing"))
	for id, want := range map[string]string{"evt_well": "1:200:delivered", "evt_ill": "1:404:permanent"} {
		if got := scenario.Verdicts(s.Attempts(t, id)); got != want {
			t.Errorf("%s: %s", id, got)
		}
	}
	s.Failures(t, "webhook-failures", "webhooks", "evt_ill")
}
