package audit

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/dev"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/internal/ledger"
)

// proved is a proof of a local ledger, and the ledger's key.
func proved(t *testing.T) (proof []byte, key string) {
	t.Helper()
	l := devtest.OpenData(t, ":memory:", nil)
	defer l.Close()
	kept := l.Kept
	var head ledger.Head
	entry, err := ledger.Entry{Action: ledger.WebhookAttempt, ID: "m#1", WebhookID: "evt_1"}.AppendJSON(nil)
	if err != nil {
		t.Fatal(err)
	}
	staged, err := ledger.Stage(&head.Edge, [][]byte{[]byte("{}"), entry, []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	head.Version++
	for _, err := range []error{kept.Stage(t.Context(), "lane-3", staged[0]), kept.Move(t.Context(), "lane-3", head),
		l.Sign(t.Context())} {
		if err != nil {
			t.Fatal(err)
		}
	}
	public, err := kept.Get(t.Context(), "key.pub")
	if err != nil {
		t.Fatal(err)
	}
	return proofOf(t, kept, string(public), entry), string(public)
}

func proofOf(t *testing.T, kept dev.LedgerStore, public string, entry []byte) []byte {
	t.Helper()
	key, err := ledger.ParsePublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	verifier, err := key.Lane("lane-3")
	if err != nil {
		t.Fatal(err)
	}
	signed, err := ledger.Kept{Objects: kept}.Newest(t.Context(), "lane-3")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ledger.OpenCheckpoint(signed, verifier)
	if err != nil {
		t.Fatal(err)
	}
	log, err := ledger.OpenLog(context.Background(), kept, "lane-3")
	if err != nil {
		t.Fatal(err)
	}
	p, err := log.Prove(t.Context(), ledger.Found{Index: 1, Entry: entry}, c, signed)
	if err != nil {
		t.Fatal(err)
	}
	return p.Marshal()
}

func TestAuditCheck(t *testing.T) {
	t.Parallel()
	proof, key := proved(t)
	_, other := proved(t)
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.tlog-proof", proof)
	changed := write("changed.tlog-proof", bytes.Replace(proof, []byte("index 1"), []byte("index 2"), 1))
	// Another key that names itself as this ledger's.
	mine, _, _ := strings.Cut(key, "+")
	k, err := ledger.ParsePublicKey(other)
	if err != nil {
		t.Fatal(err)
	}
	k.Origin = mine
	for _, c := range []struct {
		name, file, key string
		json            bool
		code            int
		says            string
	}{
		{"sound", good, key, false, 0, "sound: entry 1 of the 3"},
		{"the key in a file", good, "@" + write("key.pub", []byte(key)), false, 0, "evt_1"},
		{"in JSON", good, key, true, 0, `"index":1,"size":3,"entry":{"action":"webhook.attempt"`},
		{"changed", changed, key, false, console.ExitChanged, "changed.tlog-proof"},
		{"signed by another", good, k.String(), false, console.ExitChanged, "not signed by this key"},
		{"of another ledger", good, other, false, console.ExitCantTell, "localhost/efferent-"},
		{"no proof", write("none", []byte("x")), key, false, console.ExitCantTell, "no proof"},
		{"no file", filepath.Join(dir, "absent"), key, false, console.ExitCantTell, "absent"},
		{"no key", good, "x", false, console.ExitCantTell, "--key"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := (&auditCheckCommand{File: c.file, Key: c.key, JSON: c.json, stdout: &out}).Run()
			code, said := 0, out.String()
			if err != nil {
				code, said = console.ExitCode(t.Context(), err), err.Error()
			}
			if code != c.code || !strings.Contains(said, c.says) {
				t.Errorf("exit %d, want %d; it said %q", code, c.code, said)
			}
		})
	}
}
