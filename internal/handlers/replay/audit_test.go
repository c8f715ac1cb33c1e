package replay

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/objects"
	"github.com/efferent/efferent/internal/storetest"
)

// shelf is a ledger of two lanes, signed when it is told to.
type shelf struct {
	*storetest.MemoryLedger
	*objects.Memory
	t       *testing.T
	heads   map[string]ledger.Head
	entries map[string][][]byte
	broken  bool
}

var shelfKey = ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))

type shelfSigner struct{}

func (shelfSigner) Public(context.Context) (ed25519.PublicKey, error) {
	return shelfKey.Public().(ed25519.PublicKey), nil
}

func (shelfSigner) Sign(_ context.Context, message []byte) ([]byte, error) {
	return ed25519.Sign(shelfKey, message), nil
}

func (s *shelf) Get(ctx context.Context, path string) ([]byte, error) {
	if s.broken {
		return nil, errFault
	}
	return s.Memory.Get(ctx, path)
}

func (s *shelf) Newest(ctx context.Context, lane string) ([]byte, error) {
	return ledger.Kept{Objects: s}.Newest(ctx, lane)
}

func (s *shelf) append(lane string, e ledger.Entry) {
	s.t.Helper()
	text, err := e.AppendJSON(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	head := s.heads[lane]
	head.Edge = head.Edge.Clone()
	staged, err := ledger.Stage(&head.Edge, [][]byte{text})
	head.Version++
	if err == nil {
		err = s.Stage(s.t.Context(), lane, staged[0])
	}
	if err == nil {
		err = s.Move(s.t.Context(), lane, head)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	s.heads[lane], s.entries[lane] = head, append(s.entries[lane], text)
}

// sign signs every lane, with the unfinished tile.
func (s *shelf) sign(ctx context.Context) error {
	for lane, head := range s.heads {
		var f ledger.Frontier
		for _, e := range s.entries[lane] {
			f.Append(ledger.LeafHash(e))
		}
		for _, t := range f.Partial() {
			if err := s.Put(ctx, lane+"/"+t.Path(), t.Bytes()); err != nil {
				return err
			}
		}
		signer, err := ledger.NewSigner(ctx, ledger.OriginOf("ledger.test", lane), shelfSigner{})
		if err != nil {
			return err
		}
		signed, err := ledger.Checkpoint{Origin: signer.Name(), Size: head.Size, Root: head.Root()}.Sign(signer)
		if err != nil {
			return err
		}
		if err := (ledger.Kept{Objects: s}).Keep(ctx, lane, head.Size, signed); err != nil {
			return err
		}
	}
	return nil
}

// TestProofs proves what was done under an id: what is signed with a proof, what
// is not without, and nothing without an entry of its own.
func TestProofs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := &shelf{storetest.NewMemoryLedger(), objects.NewMemory(), t, map[string]ledger.Head{}, map[string][][]byte{}, false}
	for n := range 3 {
		for _, id := range []string{"evt", "other"} {
			r := attempt.Record{WebhookID: id, MessageID: "m-" + id, Attempt: n + 1, At: start, Verdict: attempt.Retryable}
			if err := w.store.Put(t.Context(), []attempt.Record{r}); err != nil {
				t.Fatal(err)
			}
			for _, action := range []string{ledger.WebhookAttempt, ledger.WebhookFailed} {
				if n == 2 && action == ledger.WebhookFailed {
					continue // it is on its way
				}
				s.append(ledger.LaneName(n%2), ledger.Entry{Action: action, ID: fmt.Sprintf("m-%s#%d", id, n+1), WebhookID: id,
					Timestamp: start.Add(1000 * 1000 * 1000)})
			}
		}
		if n == 1 {
			if err := s.sign(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	h := w.handler()
	ask := func(path string, into any) int {
		t.Helper()
		out := httptest.NewRecorder()
		h.Routes().ServeHTTP(out, httptest.NewRequest(http.MethodGet, path, nil))
		if err := json.Unmarshal(out.Body.Bytes(), into); err != nil {
			t.Fatalf("%d %s: %v", out.Code, out.Body, err)
		}
		return out.Code
	}
	const path = "/api/v1/audit/proofs/evt"
	var p api.Problem
	if code := ask(path, &p); code != http.StatusNotImplemented || len(w.entries) != 0 {
		t.Errorf("without a ledger: %d %+v", code, p)
	}
	h.Book, h.Lanes, h.Log = s, 2, slog.New(slog.DiscardHandler)
	if code := ask("/api/v1/audit/proofs/none", &p); code != http.StatusNotFound || !strings.Contains(p.Detail, "--since") {
		t.Errorf("nobody's id: %d %+v", code, p)
	}

	var got Proofs
	if code := ask(path, &got); code != http.StatusOK || len(got.Items) != 5 || fmt.Sprint(got.Waiting) != "[m-evt#3]" {
		t.Fatalf("%d %+v", code, got)
	}
	key := ledger.PublicKey{Origin: "ledger.test", Key: shelfKey.Public().(ed25519.PublicKey)}
	unsigned := 0
	for _, item := range got.Items {
		if item.Proof == "" {
			unsigned++
			continue
		}
		all, err := ledger.ParseProofs([]byte(item.Proof))
		if err != nil {
			t.Fatal(err)
		}
		v, _ := key.Lane(item.Lane)
		c, err := all[0].Verify(v)
		if err != nil || c.Size != item.Size || string(all[0].Entry) != string(item.Entry) ||
			!strings.Contains(string(item.Entry), `"webhook_id":"evt"`) {
			t.Errorf("%+v: %v", item, err)
		}
	}
	if unsigned != 1 {
		t.Errorf("%d entries have no proof, one is not signed", unsigned)
	}
	if e := w.entries[0]; len(w.entries) != 1 || e.Action != ledger.LedgerRead || e.Actor != "ann" ||
		e.Resource != "ledger=proofs, webhook_id=evt" {
		t.Errorf("recorded is %+v", w.entries)
	}

	h.Sign = s.sign
	var c Checkpoints
	if code := ask("/api/v1/audit/checkpoints", &c); code != http.StatusOK || len(c.Items) != 2 || !strings.HasPrefix(c.Items[0].Note,
		"ledger.test/lane-0\n6\n") {
		t.Errorf("%d %+v", code, c)
	}
	s.broken = true
	if code := ask(path, &p); code != http.StatusServiceUnavailable || strings.Contains(p.Detail, "secret detail") {
		t.Errorf("broken: %d %+v", code, p)
	}
	s.broken = false
	w.fault["audit"] = func(int) fault { return fails }
	for _, path := range []string{path, "/api/v1/audit/checkpoints"} {
		if code := ask(path, &p); code != http.StatusServiceUnavailable || !strings.Contains(p.Detail, "is not shown") {
			t.Errorf("%s that can't be recorded: %d %+v", path, code, p)
		}
	}
}

// TestUntold: what was held or dropped is no attempt, so nothing is missing.
func TestUntold(t *testing.T) {
	t.Parallel()
	records := []attempt.Record{{MessageID: "a", Attempt: 1, Verdict: attempt.Retryable}, {MessageID: "a", Attempt: 2, Verdict: attempt.Held},
		{MessageID: "a", Attempt: 3, Verdict: attempt.Permanent, Dropped: true}, {MessageID: "b", Attempt: 1, Verdict: attempt.Delivered}}
	told := []ledger.Evidence{{Found: ledger.Found{Line: ledger.Line{Action: ledger.WebhookDelivered, ID: "b#1"}}}}
	if got := untold(records, told); strings.Join(got, " ") != "a#1" {
		t.Errorf("without an outcome are %v", got)
	}
}
