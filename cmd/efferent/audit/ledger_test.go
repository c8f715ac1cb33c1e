package audit

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/dev"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
)

// audited waits until nothing is left in audit.fifo.
func audited(s *commandtest.Running, t *testing.T) {
	t.Helper()
	url := dev.QueueURL(s.AWSURL, settings.AuditQueue)
	counts := []types.QueueAttributeName{types.QueueAttributeNameApproximateNumberOfMessages,
		types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}
	for deadline := time.After(commandtest.Soon); ; {
		out, err := s.SQS.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: counts})
		if err != nil {
			t.Fatal(err)
		}
		left := 0
		for _, name := range counts {
			n, err := strconv.Atoi(out.Attributes[string(name)])
			if err != nil {
				t.Fatal(err)
			}
			left += n
		}
		if left == 0 {
			return
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			t.Fatalf("%d messages are left in audit.fifo", left)
		}
	}
}

// verified verifies every lane, and returns what is in them and how many
// entries the checkpoints hold.
func verified(t *testing.T, kept dev.LedgerStore) (acts *ledger.Acts, entries, anchored int64) {
	t.Helper()
	text, err := kept.Get(t.Context(), "key.pub")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ledger.ParsePublicKey(string(text))
	if err != nil {
		t.Fatal(err)
	}
	acts = ledger.NewActs()
	for i := range ledger.DefaultLanes {
		lane := ledger.LaneName(i)
		signed, err := ledger.Kept{Objects: kept}.All(t.Context(), lane)
		if err != nil {
			t.Fatal(err)
		}
		r := ledger.Verifier{Reader: kept, Key: key, Acts: acts}.Lane(t.Context(), lane, signed)
		if r.Verdict != ledger.Sound {
			t.Errorf("%+v", r)
		}
		entries += r.Size
		anchored += r.Anchored
	}
	return acts, entries, anchored
}

// redacted holds every entry against what it may say of a URL: the path is a
// hash by a key of the secret.
func redacted(t *testing.T, kept dev.LedgerStore, path string) {
	t.Helper()
	hash := regexp.MustCompile(`"resource":"url=http://127\.0\.0\.1:\d+/hmac:[0-9a-f]{32}, (event|status)=`)
	for i := range ledger.DefaultLanes {
		log, err := ledger.OpenLog(t.Context(), kept, ledger.LaneName(i))
		if err != nil {
			t.Fatal(err)
		}
		if err := log.Entries(t.Context(), 0, func(_ int64, entry []byte) error {
			if !hash.Match(entry) || bytes.Contains(entry, []byte(path)) {
				return fmt.Errorf("the ledger tells of the path: %s", entry)
			}
			return nil
		}); err != nil {
			t.Error(err)
		}
	}
}

// TestLedger sends webhooks that are delivered and that fail, and finds every
// attempt and its outcome in the ledger, signed.
func TestLedger(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "e.db")
	open := func() (*dev.Local, *commandtest.Running, func()) {
		l := devtest.OpenData(t, data, nil)
		ctx, stop := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- l.Run(ctx) }()
		s := commandtest.ConnectTo(t, l.AWSURL, l.HTTPURL)
		return l, s, func() {
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, r *http.Request, n int) {
		if strings.HasSuffix(r.Header.Get("webhook-id"), "0") {
			w.WriteHeader(http.StatusNotFound)
		}
	})
	const webhooks = 400
	for life := range 2 {
		l, s, stop := open()
		if life == 0 {
			s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
		}
		for i := 0; i < webhooks/2; i += 10 {
			var texts []string
			for k := range 10 {
				texts = append(texts, scenario.Text(fmt.Sprintf("evt-%d-%d", life, i+k), e.URL+"/hidden?token=hidden"))
			}
			s.Send(t, texts...)
		}
		for i := range webhooks / 2 {
			s.AttemptsUntil(t, fmt.Sprintf("evt-%d-%d", life, i), attempt.Verdict.Final)
		}
		audited(s, t)
		if err := l.Sign(t.Context()); err != nil {
			t.Error(err)
		}
		acts, entries, anchored := verified(t, l.Kept)
		want := int64(life+1) * webhooks
		if entries != want || anchored != want || acts.Unfinished() != 0 || acts.Unannounced() != 0 || acts.Repeated != 0 {
			t.Errorf("life %d: %d entries, %d anchored, want %d; %d unfinished, %d unannounced, %d repeated", life, entries, anchored,
				want, acts.Unfinished(), acts.Unannounced(), acts.Repeated)
		}
		redacted(t, l.Kept, "hidden")
		stop()
	}
	dir := dev.LedgerDirectory(data)
	t.Run("verify", func(t *testing.T) { testAuditVerify(t, dir) })
	t.Run("python", func(t *testing.T) { testDocsPython(t, dir) })
}

// testAuditVerify verifies a directory with the command, whole and changed.
func testAuditVerify(t *testing.T, dir string) {
	verify := func(checkpoints ...string) (code int, said string) {
		var out bytes.Buffer
		err := (&auditVerifyCommand{bookFlags: bookFlags{Dir: dir}, Checkpoint: checkpoints, stdout: &out}).Run(t.Context())
		if err != nil {
			code = console.ExitCode(t.Context(), err)
		}
		return code, fmt.Sprint(out.String(), err)
	}
	if code, said := verify(); code != 0 || strings.Count(said, ": sound, ") != ledger.DefaultLanes {
		t.Errorf("exit %d: %s", code, said)
	}
	signed, err := filepath.Glob(filepath.Join(dir, "lane-1", "checkpoints", "*"))
	if err != nil || len(signed) < 2 {
		t.Fatalf("%d checkpoints, %v", len(signed), err)
	}
	var out bytes.Buffer
	consistency := auditConsistencyCommand{Old: signed[0], New: signed[len(signed)-1], Dir: dir, Key: "@" + filepath.Join(dir, "key.pub"),
		stdout: &out}
	if err := consistency.Run(t.Context()); err != nil || !strings.HasPrefix(out.String(), "sound: ") {
		t.Errorf("consistency: %q, %v", out.String(), err)
	}
	consistency.Old, consistency.New = consistency.New, consistency.Old
	if err := consistency.Run(t.Context()); console.ExitCode(t.Context(), err) != console.ExitChanged {
		t.Errorf("the newer one before the older one: %v", err)
	}

	newest := signed[len(signed)-1]
	size, err := strconv.Atoi(strings.TrimLeft(filepath.Base(newest), "0"))
	if err != nil {
		t.Fatal(err)
	}
	bundle := filepath.Join(dir, "lane-1", filepath.FromSlash(ledger.BundlePath(0, min(size, 256))))
	changed(t, bundle, func() {
		if code, said := verify(); code != console.ExitChanged || !strings.Contains(said, "the first bad entry is 0:") {
			t.Errorf("exit %d: %s", code, said)
		}
	})
	changed(t, newest, func() {
		if code, said := verify(); code != console.ExitChanged {
			t.Errorf("exit %d: %s", code, said)
		}
	})
	// Rolled back to the older checkpoint: only who holds the newer one knows.
	mine := filepath.Join(t.TempDir(), "mine")
	for _, err := range []error{os.Rename(newest, mine), os.Remove(filepath.Join(dir, "lane-1", "checkpoint"))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if code, said := verify(); code != 0 {
		t.Errorf("rolled back: exit %d: %s", code, said)
	}
	if code, said := verify(mine); code != console.ExitChanged || !strings.Contains(said, "rolled back") {
		t.Errorf("rolled back, with the newer checkpoint: exit %d: %s", code, said)
	}
	dir = t.TempDir()
	if code, said := verify(); code != console.ExitCantTell {
		t.Errorf("nothing: exit %d: %s", code, said)
	}
}

// changed flips a byte of a file's middle while it calls do.
func changed(t *testing.T, file string, do func()) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(b)
	flipped[20] ^= 1
	if err := os.WriteFile(file, flipped, 0o600); err != nil {
		t.Fatal(err)
	}
	do()
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// testDocsPython runs the lines of docs/audit.md that check a lane with
// hashlib alone.
func testDocsPython(t *testing.T, dir string) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("there is no python3")
	}
	page, err := os.ReadFile("../../../docs/audit.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```python\n")
	script, rest, _ := strings.Cut(rest, "```")
	_, rest, _ = strings.Cut(rest, "```python\n")
	signature, _, _ := strings.Cut(rest, "```")
	lane := filepath.Join(dir, "lane-0")
	out, err := exec.Command(python, "-c", script, lane).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "are what was signed") {
		t.Errorf("%v: %s", err, out)
	}
	if exec.Command(python, "-c", "import cryptography").Run() == nil {
		key := filepath.Join(dir, "key.pub")
		out, err := exec.Command(python, "-c", signature, lane, key).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "is good") {
			t.Errorf("signature: %v: %s", err, out)
		}
		changed(t, filepath.Join(lane, "checkpoint"), func() {
			if out, err := exec.Command(python, "-c", signature, lane, key).CombinedOutput(); err == nil {
				t.Errorf("a changed checkpoint: %s", out)
			}
		})
	}
	checkpoint, err := os.ReadFile(filepath.Join(lane, "checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	size, err := strconv.Atoi(strings.Split(string(checkpoint), "\n")[1])
	if err != nil {
		t.Fatal(err)
	}
	changed(t, filepath.Join(lane, filepath.FromSlash(ledger.BundlePath(0, min(size, 256)))), func() {
		if out, err := exec.Command(python, "-c", script, lane).CombinedOutput(); err == nil || !strings.Contains(string(out), "NOT") {
			t.Errorf("a changed entry: %v: %s", err, out)
		}
	})
}

// TestKillWhileAuditing kills the process amid its traffic, again and again:
// the ledger is sound each time, and holds each entry once.
func TestKillWhileAuditing(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "e.db")
	args := []string{"dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", data}
	var arrived atomic.Int64
	e := scenario.NewEndpoint(t, func(http.ResponseWriter, *http.Request, int) { arrived.Add(1) })
	const webhooks, kills = 600, 3
	var p *commandtest.Process
	for kill := range kills {
		p = commandtest.StartProcess(t, nil, args...)
		if kill == 0 {
			p.PutSecret(t, scenario.SecretName, scenario.SecretValue)
		}
		for i := 0; i < webhooks/kills; i += 10 {
			var texts []string
			for k := range 10 {
				texts = append(texts, scenario.Text(fmt.Sprintf("evt-%d-%d", kill, i+k), e.URL))
			}
			p.Send(t, texts...)
		}
		for want := int64(kill+1) * webhooks / kills * 2 / 3; arrived.Load() < want; {
			<-e.Seen
		}
		p.Kill()
	}
	p = commandtest.StartProcess(t, nil, args...)
	for kill := range kills {
		for i := range webhooks / kills {
			p.AttemptsUntil(t, fmt.Sprintf("evt-%d-%d", kill, i), attempt.Verdict.Final)
		}
	}
	audited(p.Running, t)
	if err := p.Terminate(); err != nil {
		t.Error(err)
	}
	db, err := sqlite.Open(data)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	acts, entries, _ := verified(t, dev.OpenLedger(db, data))
	if entries < 2*webhooks || acts.Repeated != 0 || acts.Unannounced() != 0 {
		t.Errorf("%d entries, %d repeated, %d unannounced", entries, acts.Repeated, acts.Unannounced())
	}
}
