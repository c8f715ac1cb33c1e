package replay

import (
	"cmp"
	"slices"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
)

// life is what happened to a message under one SQS id.
type life struct{ first, last attempt.Record }

func (l life) dead() bool { return deadletter.QueueOf(l.last) != "" }

// twins have this in common: all that a record has of a message, so that one of
// them can be another that came back.
type twins struct {
	tenant, url, eventType, channel, recipient string
	notification, event                        bool
	// Of a message that carries its origin: what a move task takes keeps that,
	// and the number of its first attempt, but begins with its first channel.
	origin string
	from   int
}

// twins are by the first attempt: a notification's later ones are on others of
// its channels.
func (l life) twins() twins {
	r := l.first
	to := whither(r)
	t := twins{to[0], to[1], r.EventType, r.Channel, r.Recipient, r.Notification, r.Event, "", 0}
	if r.OriginID() != r.MessageID {
		t.channel, t.recipient, t.origin, t.from = "", "", r.Origin, r.Attempt
	}
	return t
}

// livesIn finds the lives in the history of a webhook id.
func livesIn(history []attempt.Record) (all []life) {
	at := map[string]int{}
	for _, r := range history {
		i, ok := at[r.MessageID]
		if !ok {
			i = len(all)
			at[r.MessageID] = i
			all = append(all, life{r, r})
		}
		if r.Attempt < all[i].first.Attempt {
			all[i].first = r
		}
		if r.Attempt > all[i].last.Attempt {
			all[i].last = r
		}
	}
	return all
}

// cameBack finds the dead messages that a move task took, by the twins that were
// first tried after it began: each is one of them that came back. Move tasks
// begin with the oldest message ("Learn how to configure a dead-letter queue
// redrive in Amazon SQS"), so it is the one that died first. What is sent again,
// in all equal, after a task that was cancelled half way, by a producer or by a
// release that died before it knew that it had sent, can't be told from what
// came back; but no task has more come back than it moved.
func cameBack(lives []life, tasks []deadletter.Move, over func(attempt.Record) bool) map[string]bool {
	births, deaths := map[twins][]attempt.Record{}, map[twins][]attempt.Record{}
	for _, l := range lives {
		births[l.twins()] = append(births[l.twins()], l.first)
		if l.dead() && !over(l.last) {
			deaths[l.twins()] = append(deaths[l.twins()], l.last)
		}
	}
	back := map[string]bool{}
	for kind, dead := range deaths {
		slices.SortFunc(dead, earlier)
		slices.SortFunc(births[kind], earlier)
		of := map[int]int64{} // how many came back of a task
		for _, born := range births[kind] {
			i := taskBefore(tasks, born.At)
			if i < 0 || len(dead) == 0 || !dead[0].At.Before(tasks[i].Started) || cutShort(tasks[i]) && of[i] == tasks[i].Moved {
				continue
			}
			back[dead[0].MessageID] = true
			dead = dead[1:]
			of[i]++
		}
	}
	return back
}

func earlier(a, b attempt.Record) int {
	return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.SortKey(), b.SortKey()))
}

// cutShort reports whether a task ended before it had moved everything.
func cutShort(m deadletter.Move) bool {
	return m.Status == deadletter.Cancelled || m.Status == deadletter.Failed
}

// taskBefore is the last of the tasks that began before t, -1 if none did.
func taskBefore(tasks []deadletter.Move, t time.Time) int {
	n, _ := slices.BinarySearchFunc(tasks, t, func(m deadletter.Move, t time.Time) int {
		if m.Started.After(t) {
			return 1
		}
		return -1
	})
	return n - 1
}
