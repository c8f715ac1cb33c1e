package sqlite_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/sqlite"
)

// kept collects what a store loads.
type kept struct {
	NextKey  int64
	Queues   []sqsserver.QueueRecord
	Tasks    []sqsserver.TaskRecord
	Places   []sqsserver.PlaceRecord
	Messages []sqsserver.MessageRecord // whole, by Seq
	Dedups   []sqsserver.DedupRecord
}

func (k *kept) LoadNextKey(n int64)               { k.NextKey = n }
func (k *kept) LoadQueue(r sqsserver.QueueRecord) { k.Queues = append(k.Queues, r) }
func (k *kept) LoadTask(r sqsserver.TaskRecord)   { k.Tasks = append(k.Tasks, r) }
func (k *kept) LoadPlace(r sqsserver.PlaceRecord) { k.Places = append(k.Places, r) }
func (k *kept) LoadDedup(r sqsserver.DedupRecord) { k.Dedups = append(k.Dedups, r) }

func load(t *testing.T, s sqsserver.Store) *kept {
	t.Helper()
	k := &kept{}
	must(t, s.Load(t.Context(), k))
	for _, p := range k.Places {
		found, err := s.Messages(t.Context(), []int64{p.Key})
		must(t, err)
		k.Messages = append(k.Messages, found[p.Key].MessageRecord)
	}
	slices.SortFunc(k.Messages, func(a, b sqsserver.MessageRecord) int { return cmp.Compare(a.Seq, b.Seq) })
	return k
}

var (
	full = sqsserver.MessageRecord{
		StateRecord: sqsserver.StateRecord{Key: 5, VisibleAt: 1, Received: 2, FirstReceived: 3, LastReceived: 8, Leased: true},
		Queue:       1, ID: [16]byte{1, 2, 255}, Seq: 9, Sent: 4, ReceivedBefore: 1, Group: "g", Dedup: "d", Source: "s",
	}
	bare  = sqsserver.MessageRecord{StateRecord: sqsserver.StateRecord{Key: 6}, Queue: 1, Seq: 6}
	queue = sqsserver.QueueRecord{ID: 1, Name: "q", Created: 1, Modified: 2, Attributes: map[string]string{"a": "b"},
		Tags: map[string]string{"c": "d"}}
	task = sqsserver.TaskRecord{Handle: "h", Source: "s", Destination: "d", Rate: 1, Moved: 2, ToMove: 3, Status: "x", Failure: "y",
		Started: 4}
	dedup = sqsserver.DedupRecord{Key: 5, Queue: 1, Scope: "g", ID: "d", MessageID: [16]byte{1}, Sent: 4}
)

func put() *sqsserver.Changes {
	return &sqsserver.Changes{
		PutQueues: []sqsserver.QueueRecord{queue}, PutTasks: []sqsserver.TaskRecord{task}, PutDedups: []sqsserver.DedupRecord{dedup},
		PutMessages: []sqsserver.StoredMessage{
			{MessageRecord: full, Content: sqsserver.Content{Body: "body\x00é", Attributes: []byte("{}")}},
			{MessageRecord: bare, Content: sqsserver.Content{Body: ""}},
		},
		NextKey: 100,
	}
}

func TestEachChange(t *testing.T) {
	t.Parallel()
	moved := full
	moved.Queue, moved.ID, moved.Seq, moved.Sent, moved.Received, moved.ReceivedBefore = 7, [16]byte{9}, 99, 98, 0, 0
	moved.LastReceived = 96
	moved.FirstReceived, moved.Leased, moved.Group, moved.Dedup, moved.Source, moved.VisibleAt = 0, false, "", "", "", 97
	state := sqsserver.StateRecord{Key: 6, VisibleAt: 11, Received: 12, FirstReceived: 13, LastReceived: 14, Leased: true}
	withState := bare
	withState.StateRecord = state
	for name, c := range map[string]struct {
		changes sqsserver.Changes
		want    func(k *kept)
	}{
		"nothing":        {sqsserver.Changes{}, func(*kept) {}},
		"the same again": {*put(), func(*kept) {}},
		"a state": {sqsserver.Changes{SetStates: []sqsserver.StateRecord{state}},
			func(k *kept) { k.Messages[0] = withState }},
		"a move":         {sqsserver.Changes{Moves: []sqsserver.MessageRecord{moved}}, func(k *kept) { k.Messages[1] = moved }},
		"a delete":       {sqsserver.Changes{Deletes: []int64{5, 77}}, func(k *kept) { k.Messages = k.Messages[:1] }},
		"an undone send": {sqsserver.Changes{Undo: []int64{5, 77}}, func(k *kept) { k.Messages, k.Dedups = k.Messages[:1], nil }},
		"of what is gone": {sqsserver.Changes{SetStates: []sqsserver.StateRecord{{Key: 77}},
			Moves: []sqsserver.MessageRecord{{StateRecord: sqsserver.StateRecord{Key: 78}}}}, func(*kept) {}},
		"forgotten": {sqsserver.Changes{ForgetDedups: sqsserver.DedupRecord{Queue: 1, Key: 5}},
			func(k *kept) { k.Dedups = nil }},
		"forgotten, older":            {sqsserver.Changes{ForgetDedups: sqsserver.DedupRecord{Queue: 1, Key: 4}}, func(*kept) {}},
		"forgotten, of another queue": {sqsserver.Changes{ForgetDedups: sqsserver.DedupRecord{Queue: 2, Key: 5}}, func(*kept) {}},
		"a higher key":                {sqsserver.Changes{NextKey: 101}, func(k *kept) { k.NextKey = 101 }},
		"a lower key":                 {sqsserver.Changes{NextKey: 99}, func(*kept) {}},
		"a deleted queue": {sqsserver.Changes{DeleteQueues: []int64{1, 77}}, func(k *kept) {
			k.Queues, k.Messages, k.Dedups = nil, nil, nil
		}},
		"a deleted queue, not others": {sqsserver.Changes{DeleteQueues: []int64{2}}, func(*kept) {}},
		"queue's attributes": {sqsserver.Changes{PutQueues: []sqsserver.QueueRecord{
			{ID: 1, Name: "q", Modified: 9, Attributes: map[string]string{}}}},
			func(k *kept) {
				k.Queues[0] = sqsserver.QueueRecord{ID: 1, Name: "q", Modified: 9, Attributes: map[string]string{}}
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := dataFile(t)
			db := open(t, path)
			must(t, sqlite.NewQueues(db).Apply(t.Context(), put()))
			must(t, sqlite.NewQueues(db).Apply(t.Context(), &c.changes))
			must(t, db.Close())
			want := &kept{NextKey: 100, Queues: []sqsserver.QueueRecord{queue}, Tasks: []sqsserver.TaskRecord{task},
				Messages: []sqsserver.MessageRecord{bare, full}, Dedups: []sqsserver.DedupRecord{dedup}}
			c.want(want)
			for _, m := range want.Messages {
				want.Places = append(want.Places, sqsserver.PlaceRecord{Key: m.Key, Queue: m.Queue, Seq: m.Seq, Sent: m.Sent,
					VisibleAt: m.VisibleAt, Group: m.Group, Leased: m.Leased, ReceivedHere: m.Received > m.ReceivedBefore})
			}
			slices.SortFunc(want.Places, func(a, b sqsserver.PlaceRecord) int { return cmp.Compare(a.Key, b.Key) })
			if got := load(t, sqlite.NewQueues(open(t, path))); !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestMessages(t *testing.T) {
	t.Parallel()
	s := sqlite.NewQueues(open(t, ":memory:"))
	must(t, s.Apply(t.Context(), put()))
	got, err := s.Messages(t.Context(), []int64{5, 6, 7})
	must(t, err)
	want := map[int64]sqsserver.StoredMessage{5: put().PutMessages[0], 6: put().PutMessages[1]}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestAllChangesOrNone(t *testing.T) {
	t.Parallel()
	db := open(t, ":memory:")
	s := sqlite.NewQueues(db)
	must(t, s.Apply(t.Context(), put()))
	must(t, db.Do(t.Context(), run(`CREATE TRIGGER no BEFORE DELETE ON messages BEGIN SELECT RAISE(ABORT, 'no'); END`)))
	before := load(t, s)
	err := s.Apply(t.Context(), &sqsserver.Changes{SetStates: []sqsserver.StateRecord{{Key: 6, Received: 50}}, Deletes: []int64{5}})
	if err == nil {
		t.Fatal("no error")
	}
	if got := load(t, s); !reflect.DeepEqual(got, before) {
		t.Errorf("got %+v", got)
	}
	var syntax *json.SyntaxError
	must(t, db.Do(t.Context(), run(`UPDATE queues SET attributes = 'x'`)))
	if err := s.Load(context.Background(), &kept{}); !errors.As(err, &syntax) {
		t.Errorf("a broken row: %v", err)
	}
}
