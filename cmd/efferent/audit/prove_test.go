package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/dev"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
)

// startKept runs Efferent in this process, with its ledger in a directory.
func startKept(t *testing.T) (s *commandtest.Running, dir string) {
	t.Helper()
	data := filepath.Join(t.TempDir(), "e.db")
	l := devtest.OpenData(t, data, nil)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	s = commandtest.ConnectTo(t, l.AWSURL, l.HTTPURL)
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	return s, dev.LedgerDirectory(data)
}

// said is what a command printed, and its exit code.
func said(out *bytes.Buffer, err error) (int, string) {
	if err != nil {
		return console.ExitCode(context.Background(), err), out.String() + err.Error()
	}
	return 0, out.String()
}

// TestAuditProve goes the way of a user: webhooks are sent, one of them is
// replayed, and what was done with it is proved to somebody who has a file and a
// key.
func TestAuditProve(t *testing.T) {
	t.Parallel()
	s, dir := startKept(t)
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, n int) {
		if n == 1 {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	s.Send(t, scenario.Text("evt-1", e.URL))
	item := s.AttemptsUntil(t, "evt-1", attempt.Verdict.Final)[0].MessageID
	s.Failures(t, "webhook-failures", "webhooks", "evt-1")
	if status := s.Insist(t, http.MethodPost, "/dlq/webhook-failures/replay/"+item); status != http.StatusAccepted {
		t.Fatalf("the replay was answered %d", status)
	}
	s.AttemptsUntil(t, "evt-1", func(v attempt.Verdict) bool { return v == attempt.Delivered })
	for i := range 20 { // others
		s.Send(t, scenario.Text(fmt.Sprintf("other-%d", i), e.URL))
	}
	for i := range 20 {
		s.AttemptsUntil(t, fmt.Sprintf("other-%d", i), attempt.Verdict.Final)
	}

	file := filepath.Join(t.TempDir(), "evt-1.tlog-proof")
	key := "@" + filepath.Join(dir, "key.pub")
	api := reach.APIFlags{API: s.HTTPURL, Dev: true}
	want := []string{ledger.WebhookAttempt, ledger.WebhookFailed, ledger.DLQReplay, ledger.WebhookAttempt, ledger.WebhookDelivered}
	proves := func(t *testing.T, c auditProveCommand) {
		t.Helper()
		var out bytes.Buffer
		c.ID, c.Output, c.Wait, c.stdout, c.stderr = "evt-1", file, commandtest.Soon, &out, &out
		code, text := said(&out, c.Run(t.Context()))
		if code != 0 || !strings.Contains(text, "proves 5 entries") || !strings.Contains(text, "efferent audit check "+file+" --key ") {
			t.Fatalf("prove: exit %d: %s", code, text)
		}
		out.Reset()
		if code, text := said(&out, (&auditCheckCommand{File: file, Key: key, JSON: true, stdout: &out}).Run()); code != 0 {
			t.Fatalf("check: exit %d: %s", code, text)
		}
		var got []string
		for d := json.NewDecoder(&out); d.More(); {
			var p checked
			if err := d.Decode(&p); err != nil {
				t.Fatal(err)
			}
			line, err := ledger.ParseEntry(p.Entry)
			if err != nil || line.WebhookID != "evt-1" {
				t.Errorf("%s, %v", p.Entry, err)
			}
			got = append(got, line.Action)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("proved are %v, want %v", got, want)
		}
	}
	t.Run("by the API", func(t *testing.T) { proves(t, auditProveCommand{APIFlags: api, bookFlags: bookFlags{Key: key}}) })
	t.Run("changed", func(t *testing.T) { testChangedProofs(t, file, key) })
	t.Run("by the directory", func(t *testing.T) { proves(t, auditProveCommand{bookFlags: bookFlags{Dir: dir}}) })
	t.Run("verify", func(t *testing.T) {
		var out bytes.Buffer
		verify := auditVerifyCommand{bookFlags: bookFlags{Dir: dir}, Dev: true, API: s.HTTPURL, stdout: &out}
		code, text := said(&out, verify.Run(t.Context()))
		if code != 0 || !strings.Contains(text, "0 attempts without an outcome, 0 outcomes without an attempt, 0 entries repeated") {
			t.Errorf("exit %d: %s", code, text)
		}
	})
	t.Run("reads are recorded", func(t *testing.T) {
		audited(s, t)
		p := auditProveCommand{APIFlags: api, ID: "evt-1", Output: file, stdout: new(bytes.Buffer)}
		if err := p.Run(t.Context()); err != nil {
			t.Error(err)
		}
		if n := entriesOf(t, dir, ledger.LedgerRead); n < 2 {
			t.Errorf("the ledger holds %d reads", n)
		}
	})
	t.Run("export", func(t *testing.T) { testAuditExport(t, dir, proves) })
	for _, c := range []struct {
		name, says string
		command    auditProveCommand
	}{
		{"nobody's id", "no attempt is recorded", auditProveCommand{APIFlags: api, ID: "nobodys"}},
		{"nobody's id in the directory", "holds nothing under", auditProveCommand{bookFlags: bookFlags{Dir: dir}, ID: "nobodys"}},
		{"between", "holds nothing under", auditProveCommand{bookFlags: bookFlags{Dir: dir}, ID: "nobodys",
			Since: time.Now().Add(-48 * time.Hour), Until: time.Now()}},
		{"no directory", "--dir or --outputs", auditProveCommand{bookFlags: bookFlags{Dir: dir + "-absent"}, ID: "evt-1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, text := said(new(bytes.Buffer), c.command.Run(t.Context()))
			if code != console.ExitCantTell || !strings.Contains(text, c.says) {
				t.Errorf("exit %d: %s", code, text)
			}
		})
	}
}

// entriesOf counts the signed entries of an action.
func entriesOf(t *testing.T, dir, action string) (n int) {
	t.Helper()
	p, err := (&bookFlags{Dir: dir}).open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	lanes, err := p.lanes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, lane := range lanes {
		log, err := ledger.OpenLog(t.Context(), p, lane)
		if err != nil {
			t.Fatal(err)
		}
		if err := log.Entries(t.Context(), 0, func(_ int64, entry []byte) error {
			line, err := ledger.ParseEntry(entry)
			if line.Action == action {
				n++
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// testChangedProofs changes each part of a file of proofs.
func testChangedProofs(t *testing.T, file, key string) {
	good, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	for at := 30; at < len(good); at += 97 {
		b := bytes.Clone(good)
		b[at] ^= 1
		if err := os.WriteFile(other, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if code, text := said(new(bytes.Buffer), (&auditCheckCommand{File: other, Key: key, stdout: new(bytes.Buffer)}).Run()); code == 0 {
			t.Errorf("byte %d: exit %d: %s", at, code, text)
		}
	}
	whole := strings.SplitAfter(string(good), "\n")
	if err := os.WriteFile(other, []byte(strings.Join(whole[:len(whole)-3], "")), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, text := said(new(bytes.Buffer), (&auditCheckCommand{File: other, Key: key, stdout: new(bytes.Buffer)}).Run()); code == 0 {
		t.Errorf("cut: exit %d: %s", code, text)
	}
}

// testAuditExport copies a ledger, twice, and proves and verifies by the copy
// alone, with the docs' Python too.
func testAuditExport(t *testing.T, dir string, proves func(*testing.T, auditProveCommand)) {
	to := filepath.Join(t.TempDir(), "copy")
	export := func() (int, string) {
		var out bytes.Buffer
		return said(&out, (&auditExportCommand{bookFlags: bookFlags{Dir: dir}, To: to, stdout: &out}).Run(t.Context()))
	}
	for range 2 {
		if code, text := export(); code != 0 || !strings.Contains(text, "efferent audit verify --dir "+to+" --key localhost/efferent-") {
			t.Fatalf("exit %d: %s", code, text)
		}
	}
	proves(t, auditProveCommand{bookFlags: bookFlags{Dir: to}})
	var out bytes.Buffer
	if code, text := said(&out, (&auditVerifyCommand{bookFlags: bookFlags{Dir: to}, stdout: &out}).Run(t.Context())); code != 0 {
		t.Errorf("verify: exit %d: %s", code, text)
	}
	testDocsPython(t, to)
	bundles, err := filepath.Glob(filepath.Join(to, "lane-*", "tile", "entries", "000.p", "*"))
	if err != nil || len(bundles) == 0 {
		t.Fatalf("%v, %v", bundles, err)
	}
	changed(t, bundles[0], func() {
		if code, text := export(); code != console.ExitChanged {
			t.Errorf("onto a copy that was changed: exit %d: %s", code, text)
		}
	})
}
