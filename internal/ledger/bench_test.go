package ledger_test

import (
	"context"
	"testing"

	"github.com/efferent/efferent/internal/ledger"
)

// BenchmarkAppendJSON: every delivery makes two entries.
func BenchmarkAppendJSON(b *testing.B) {
	e := ledger.Entry{Action: ledger.WebhookAttempt, Actor: "efferent:deliver", Attempt: 2, ID: "5fea7756-0ea4-451a-a703-a558b933e274#2",
		MessageID: "5fea7756-0ea4-451a-a703-a558b933e274", Resource: "url=https://a.test/in, event=invoice.paid", Timestamp: at,
		WebhookID: "evt_1"}
	var buf []byte
	for b.Loop() {
		buf, _ = e.AppendJSON(buf[:0])
	}
}

// BenchmarkProof makes and checks proofs of a log of a million entries.
func BenchmarkProof(b *testing.B) {
	tiles := bag{}
	var f ledger.Frontier
	for i := range 1_000_000 {
		for _, full := range f.Append(ledger.LeafHash(entryText(i))) {
			tiles[full.Path()] = full.Bytes()
		}
	}
	for _, p := range f.Partial() {
		tiles[p.Path()] = p.Bytes()
	}
	c := ledger.Checkpoint{Origin: ledger.OriginOf(origin, lane), Size: f.Size, Root: f.Root()}
	signer, err := ledger.NewSigner(context.Background(), c.Origin, newKey(1))
	if err != nil {
		b.Fatal(err)
	}
	signed, err := c.Sign(signer)
	if err != nil {
		b.Fatal(err)
	}
	var file []byte
	b.Run("make", func(b *testing.B) {
		for i := int64(0); b.Loop(); i++ {
			index := i * 7919 % f.Size
			path, err := ledger.Tiles{Get: tiles.Get}.Include(b.Context(), c, index)
			if err != nil {
				b.Fatal(err)
			}
			file = ledger.Proof{Entry: entryText(int(index)), Index: index, Path: path, Checkpoint: signed}.Marshal()
		}
		b.ReportMetric(float64(len(file)), "bytes")
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			p, err := ledger.ParseProof(file)
			if err == nil {
				_, err = p.Verify(signer)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}
