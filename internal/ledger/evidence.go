package ledger

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Book is a ledger and what was signed of it. It is used by many goroutines at
// once.
type Book interface {
	Reader
	// Newest returns a lane's newest signed checkpoint, nil where there is none.
	Newest(ctx context.Context, lane string) ([]byte, error)
}

// Span is a time from the first to the last act, both within.
type Span struct{ First, Last time.Time }

// Spans joins the times of acts to as few spans as Find needs to look through:
// those that would be looked through twice become one.
func Spans(times []time.Time) (spans []Span) {
	for _, t := range slices.SortedFunc(slices.Values(times), time.Time.Compare) {
		if n := len(spans); n > 0 && t.Sub(spans[n-1].Last) <= 2*skew {
			spans[n-1].Last = t
			continue
		}
		spans = append(spans, Span{t, t})
	}
	return spans
}

// Evidence is an entry that was found, with its proof where it is signed.
type Evidence struct {
	Found
	Lane string
	// Size is how many entries the checkpoint of the proof is of; 0: the entry is
	// not signed yet.
	Size  int64
	Proof []byte
}

// Prove finds the entries of a lane that match takes, in those times, and
// proves those that the newest checkpoint holds. The checkpoint is not verified:
// who reads a proof does that.
func Prove(ctx context.Context, b Book, lane string, spans []Span, match func(Line) bool) (all []Evidence, err error) {
	signed, err := b.Newest(ctx, lane)
	if err != nil {
		return nil, err
	}
	var c Checkpoint
	if signed != nil {
		if c, err = unverified(signed); err != nil {
			return nil, fmt.Errorf("the newest checkpoint of %s: %w: %w", lane, ErrChanged, err)
		}
	}
	log, err := OpenLog(ctx, b, lane)
	if err != nil {
		return nil, err
	}
	seen := map[int64]bool{} // each span looks through what is not published
	for _, span := range spans {
		found, err := log.Find(ctx, span.First, span.Last, match)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if seen[f.Index] {
				continue
			}
			seen[f.Index] = true
			e := Evidence{Found: f, Lane: lane}
			if f.Index < c.Size {
				p, err := log.Prove(ctx, f, c, signed)
				if err != nil {
					return nil, err
				}
				e.Size, e.Proof = c.Size, p.Marshal()
			}
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b Evidence) int { return cmp.Compare(a.Index, b.Index) })
	return all, nil
}

// proofHeader begins a proof's file.
const proofHeader = "c2sp.org/tlog-proof@v1"

// ParseProofs reads a file of proofs that stand one after the other, each as
// ParseProof reads it. Nothing of them is verified yet.
func ParseProofs(b []byte) (all []Proof, err error) {
	// A proof's own lines never are its first: a checkpoint's text that held it
	// would have been signed so.
	begin := []byte("\n" + proofHeader + "\n")
	for len(b) > 0 {
		end := len(b)
		if i := bytes.Index(b, begin); i >= 0 {
			end = i + 1
		}
		p, err := ParseProof(b[:end])
		if err != nil {
			return nil, fmt.Errorf("proof %d: %w", len(all)+1, err)
		}
		all, b = append(all, p), b[end:]
	}
	if len(all) == 0 {
		return nil, errors.New("the file is no proof: it is empty")
	}
	return all, nil
}

// ByTime orders evidence by what happened first. Times have milliseconds: of
// entries of one, in different lanes, what a person did led to the attempt, and an
// attempt has the number after the one before.
func ByTime(a, b Evidence) int {
	return cmp.Or(strings.Compare(a.Line.Timestamp, b.Line.Timestamp), cmp.Compare(a.Line.Attempt, b.Line.Attempt),
		strings.Compare(a.Lane, b.Lane), cmp.Compare(a.Index, b.Index))
}
