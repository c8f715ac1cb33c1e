package ledger_test

import (
	"bytes"
	"context"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/ledger"
)

func FuzzParseMessage(f *testing.F) {
	f.Add([]byte(`{"v":1,"entries":[{"action":"a","id":"x","timestamp":"t"}]}`))
	f.Add([]byte(`{"v":2,"entries":[]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		entries, err := ledger.ParseMessage(body)
		if err != nil && entries != nil {
			t.Fatalf("entries beside %v", err)
		}
		for _, e := range entries {
			canonical := jsontext.Value(bytes.Clone(e))
			if err := canonical.Canonicalize(); err != nil || !bytes.Equal(canonical, e) || len(e) > ledger.MaxEntry || !bytes.Contains(body, e) {
				t.Fatalf("%s is not canonical, or not of the body: %v", e, err)
			}
		}
	})
}

func FuzzParseBundle(f *testing.F) {
	f.Add(ledger.Bundle([][]byte{[]byte("a"), nil, []byte("bc")}))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := ledger.ParseBundle(b)
		if err == nil && !bytes.Equal(ledger.Bundle(entries), b) {
			t.Fatalf("%x came back as %x", b, ledger.Bundle(entries))
		}
	})
}

func FuzzStaged(f *testing.F) {
	var edge ledger.Edge
	staged, _ := ledger.Stage(&edge, [][]byte{entryText(0), entryText(1)})
	f.Add(staged[0].Data)
	f.Fuzz(func(t *testing.T, data []byte) {
		s := staged[0]
		s.Data = data
		if entries, err := s.Entries(); err == nil && len(entries) != 2 {
			t.Fatalf("got %d entries", len(entries))
		}
	})
}

func FuzzParseProof(f *testing.F) {
	k := newKey(1)
	c := ledger.Checkpoint{Origin: ledger.OriginOf(origin, lane), Size: 1, Root: ledger.LeafHash(entryText(0))}
	s, _ := ledger.NewSigner(context.Background(), c.Origin, k)
	signed, _ := c.Sign(s)
	good := ledger.Proof{Entry: entryText(0), Checkpoint: signed}.Marshal()
	f.Add(good)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ledger.ParseProof(b)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Marshal(), b) {
			t.Fatalf("%q came back as %q", b, p.Marshal())
		}
		if _, err := p.Verify(s); err == nil && !bytes.Equal(b, good) {
			t.Fatalf("%q was not signed", b)
		}
	})
}

func FuzzOpenCheckpoint(f *testing.F) {
	c := ledger.Checkpoint{Origin: ledger.OriginOf(origin, lane), Size: 1, Root: ledger.LeafHash(entryText(0))}
	s, _ := ledger.NewSigner(context.Background(), c.Origin, newKey(1))
	signed, _ := c.Sign(s)
	f.Add(signed)
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := ledger.OpenCheckpoint(b, s); err == nil && got != c {
			t.Fatalf("%q was not signed, and is %+v", b, got)
		}
	})
}

func FuzzParsePublicKey(f *testing.F) {
	f.Add(public(newKey(1)).String())
	f.Fuzz(func(t *testing.T, text string) {
		k, err := ledger.ParsePublicKey(text)
		if err != nil {
			return
		}
		again, err := ledger.ParsePublicKey(k.String())
		if err != nil || again.Origin != k.Origin || !bytes.Equal(again.Key, k.Key) {
			t.Fatalf("%q came back as %+v, %v", text, again, err)
		}
	})
}
