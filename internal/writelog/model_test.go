package writelog

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/sqlite"
)

// loaded is what a start finds.
type loaded struct {
	nextKey int64
	rows    []any
}

func (l *loaded) LoadNextKey(n int64)               { l.nextKey = n }
func (l *loaded) LoadQueue(r sqsserver.QueueRecord) { l.rows = append(l.rows, r) }
func (l *loaded) LoadTask(r sqsserver.TaskRecord)   { l.rows = append(l.rows, r) }
func (l *loaded) LoadPlace(r sqsserver.PlaceRecord) { l.rows = append(l.rows, r) }
func (l *loaded) LoadDedup(r sqsserver.DedupRecord) { l.rows = append(l.rows, r) }

func load(t tb, s sqsserver.Store) (int64, []string) {
	t.Helper()
	l := &loaded{}
	must(t, s.Load(context.Background(), l))
	rows := make([]string, len(l.rows))
	for i, r := range l.rows {
		rows[i] = fmt.Sprintf("%+v", r)
	}
	slices.Sort(rows)
	return l.nextKey, rows
}

// TestLikeTheStoreItself: whatever happens, what is read is what a store without
// a log would give, and so is what a start finds.
func TestLikeTheStoreItself(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		dir, err := os.MkdirTemp("", "writelog-")
		must(r, err)
		defer os.RemoveAll(dir)
		w := newWorld(r, dir)
		plain := sqlite.NewQueues(data(r))
		h := &history{t: r, last: 0}
		for range rapid.IntRange(1, 40).Draw(r, "steps") {
			switch rapid.SampledFrom([]string{"change", "change", "change", "change", "queues", "flush", "fail", "kill", "close"}).Draw(r, "step") {
			case "change":
				if c := h.changes(); w.Apply(context.Background(), c) == nil {
					must(r, plain.Apply(context.Background(), c))
				}
			case "queues":
				c := h.queues()
				for w.Apply(context.Background(), c) != nil { // as the engine does
				}
				must(r, plain.Apply(context.Background(), c))
			case "flush":
				_ = w.flush(context.Background())
			case "fail":
				w.behind.failBy(h.fails(w.behind))
			case "kill":
				w.behind.failBy(nil)
				w.kill()
				w.open()
			case "close":
				if w.Close() != nil {
					w.behind.failBy(nil)
				}
				w.open()
			}
			if got, like := all(r, w, h.last+1), all(r, plain, h.last+1); !reflect.DeepEqual(got, like) {
				r.Fatalf("got %+v, want %+v", got, like)
			}
		}
		w.behind.failBy(nil)
		w.kill()
		w.open()
		key, rows := load(r, w)
		if wantKey, wantRows := load(r, plain); key != wantKey || !slices.Equal(rows, wantRows) {
			r.Fatalf("got %d %v, want %d %v", key, rows, wantKey, wantRows)
		}
		must(r, w.Close())
	})
}

// history makes up changes as the engine makes them.
type history struct {
	t    *rapid.T
	last int64
}

func (h *history) key() int64 { return rapid.Int64Range(0, h.last).Draw(h.t, "key") }

func (h *history) keys() []int64 {
	return rapid.SliceOfN(rapid.Int64Range(0, h.last), 0, 3).Draw(h.t, "keys")
}

func (h *history) changes() *sqsserver.Changes {
	c := &sqsserver.Changes{}
	for range rapid.IntRange(0, 3).Draw(h.t, "puts") {
		h.last++
		m := message(h.last)
		m.Queue = rapid.Int64Range(1, 2).Draw(h.t, "queue")
		c.PutMessages = append(c.PutMessages, m)
		c.PutDedups = append(c.PutDedups, sqsserver.DedupRecord{Key: h.last, Queue: m.Queue, ID: "d", Sent: m.Sent})
		c.NextKey = h.last
	}
	for _, key := range h.keys() {
		c.SetStates = append(c.SetStates, sqsserver.StateRecord{Key: key, VisibleAt: rapid.Int64Range(1, 1000).Draw(h.t, "at"), Received: 1})
	}
	for _, key := range h.keys() {
		m := message(key).MessageRecord
		m.Queue, m.Seq, m.ReceivedBefore = 3, 1000+key, 1
		c.Moves = append(c.Moves, m)
	}
	c.Deletes, c.Undo = h.keys(), nil
	switch rapid.IntRange(0, 4).Draw(h.t, "also") {
	case 0:
		c.Undo = h.keys()
	case 1:
		c.ForgetDedups = sqsserver.DedupRecord{Queue: rapid.Int64Range(1, 2).Draw(h.t, "forget"), Key: h.key()}
	case 2:
		c.PutTasks = []sqsserver.TaskRecord{{Handle: "h", Source: "s", Status: fmt.Sprint(h.last)}}
	}
	return c
}

func (h *history) queues() *sqsserver.Changes {
	if rapid.Bool().Draw(h.t, "create") {
		return &sqsserver.Changes{PutQueues: []sqsserver.QueueRecord{{ID: 1, Name: fmt.Sprint("q", h.last)}}}
	}
	return &sqsserver.Changes{DeleteQueues: []int64{rapid.Int64Range(1, 3).Draw(h.t, "queue")}}
}

// fails makes one of the next changes fail.
func (h *history) fails(f *flaky) func() fault {
	after := rapid.IntRange(0, 4).Draw(h.t, "after")
	how := rapid.SampledFrom([]fault{lost, persisted}).Draw(h.t, "how")
	return func() fault {
		if after--; after >= 0 {
			return none
		}
		f.fail = nil // its lock is held
		return how
	}
}
