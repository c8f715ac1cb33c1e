package sqsserver

import (
	"cmp"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// The heap against a sorted slice.
func TestHeap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := heap{slot: slotExpiry}
		var model []heapEntry
		var key int64
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				key++
				e := heapEntry{rapid.Int64Range(0, 20).Draw(t, "at"), &message{key: key}}
				h.push(e.m, e.at)
				model = append(model, e)
				slices.SortFunc(model, func(a, b heapEntry) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.m.key, b.m.key)) })
			},
			"remove": func(t *rapid.T) {
				if len(model) == 0 {
					t.Skip("it is empty")
				}
				i := rapid.IntRange(0, len(model)-1).Draw(t, "i")
				h.remove(model[i].m)
				model = slices.Delete(model, i, i+1)
			},
			"": func(t *rapid.T) {
				m, at := h.top()
				if len(model) == 0 {
					if m != nil {
						t.Fatal("it should be empty")
					}
					return
				}
				if m != model[0].m || at != model[0].at || len(h.entries) != len(model) {
					t.Fatalf("top %d at %d, want %d at %d", m.key, at, model[0].m.key, model[0].at)
				}
			},
		})
	})
}

func TestCacheKeepsTheNewestWithinItsBudget(t *testing.T) {
	t.Parallel()
	budget := &cacheBudget{limit: 3 << 20}
	a, b := &cache{budget: budget}, &cache{budget: budget}
	var ms []*message
	for range 5 {
		m := &message{}
		a.keep(m, &content{size: 1<<20 - contentOverhead})
		ms = append(ms, m)
	}
	for i, m := range ms {
		if kept := m.content != nil; kept != (i >= 2) {
			t.Errorf("message %d: kept %v", i, kept)
		}
	}
	// A queue gets its share though others have used the budget up.
	late := &message{}
	b.keep(late, &content{size: 1<<20 - contentOverhead})
	if late.content == nil || budget.used.Load() != 4<<20 {
		t.Errorf("used %d", budget.used.Load())
	}
	for _, m := range []*message{ms[3], ms[2], ms[4], ms[4]} {
		a.drop(m)
	}
	b.drop(late)
	if budget.used.Load() != 0 || a.oldest != nil || a.newest != nil {
		t.Errorf("used %d, list %v %v", budget.used.Load(), a.oldest, a.newest)
	}
}

func FuzzReceipt(f *testing.F) {
	good := receipt{queue: 1, key: 2, received: 3, id: newID()}
	f.Add(good.String(), int64(1))
	f.Add("", int64(1))
	f.Add("AQAAAA==", int64(0))
	f.Fuzz(func(t *testing.T, handle string, queue int64) {
		r, ok := parseReceipt(handle, queue)
		if !ok {
			return
		}
		if r.queue != queue {
			t.Fatalf("%q is of another queue", handle)
		}
		if again, ok := parseReceipt(r.String(), queue); !ok || again != r {
			t.Fatalf("%q: %+v is not what it says: %+v", handle, r, again)
		}
	})
}

func TestReceiptsThatWereChanged(t *testing.T) {
	t.Parallel()
	good := receipt{queue: 1, key: 2, received: 3, id: newID()}
	if r, ok := parseReceipt(good.String(), 1); !ok || r != good {
		t.Fatalf("got %+v", r)
	}
	for i := range good.String() {
		b := []byte(good.String())
		if b[i]++; b[i] == '=' {
			continue
		}
		if r, ok := parseReceipt(string(b), 1); ok && r != good {
			t.Errorf("byte %d: %+v", i, r)
		}
	}
}
