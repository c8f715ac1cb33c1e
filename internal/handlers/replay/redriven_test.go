package replay

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
)

// sqs plays what SQS and the handler that sends do with messages that fail.
// Those of one kind are equal: same id, tenant, URL and body.
type sqs struct {
	*world
	n     int
	order []string // of the letters, by when they came
	kinds map[string]string
}

func newSQS(t *testing.T) *sqs {
	return &sqs{world: newWorld(t), kinds: map[string]string{}}
}

// tried is one attempt of a message: a letter if it is refused. It takes some
// time.
func (s *sqs) tried(id, kind string, status int) {
	s.advance(3 * time.Millisecond)
	url := "https://a.test/" + kind
	s.kinds[id] = kind
	r := attempt.Record{WebhookID: "evt", Origin: id, MessageID: id, Attempt: 1, At: s.now, URL: url, EventType: "e", Tenant: kind[:1],
		Status: status, Verdict: attempt.Delivered}
	own := `"id":"evt",`
	if strings.Contains(kind, "no-id") {
		r.WebhookID, own = id, ""
	}
	if status != 200 {
		r.Verdict, r.Reason = attempt.Permanent, fmt.Sprint(status)
		s.letters[id] = &parkedLetter{}
		s.letters[id].msg.MessageId, s.letters[id].msg.ReceiptHandle = id, "r-"+id
		s.letters[id].msg.Body = `{` + own + `"url":"` + url + `","secret":"efferent/webhooks/a","event_type":"e","tenant":"` + kind[:1] +
			`","body":1}`
		s.letters[id].msg.Attributes = map[string]string{"SentTimestamp": "1"}
		s.order = append(s.order, id)
	}
	s.record(r)
	s.advance(3 * time.Millisecond)
}

// dies sends new messages that are refused.
func (s *sqs) dies(kinds ...string) {
	for _, kind := range kinds {
		s.n++
		s.tried(fmt.Sprintf("m%03d", s.n), kind, 404)
	}
}

// redrive has a task take n letters, those that came first; they come back as
// new messages, and each is answered as told: 0 is not yet.
func (s *sqs) redrive(status string, n int, answers ...int) {
	s.advance(3 * time.Millisecond)
	s.moves = slices.Insert(s.moves, 0, deadletter.Move{Status: status, Started: s.now.Truncate(time.Millisecond), Moved: int64(n),
		ToMove: int64(len(s.order))})
	s.moves = s.moves[:min(10, len(s.moves))]
	taken := s.order[:n]
	s.order = slices.Clone(s.order[n:])
	for i, id := range taken {
		delete(s.letters, id)
		if s.n++; answers[i%len(answers)] != 0 {
			s.tried(fmt.Sprintf("m%03d", s.n), s.kinds[id], answers[i%len(answers)])
		}
	}
}

// drop takes a letter out as a discard does.
func (s *sqs) drop(id string) {
	s.claim(claim.Claim{ItemID: id, Act: deadletter.Discard, At: s.now, Settled: true})
	delete(s.letters, id)
	s.order = slices.DeleteFunc(s.order, func(o string) bool { return o == id })
}

// want compares the list with what is in the queue, or with others.
func (s *sqs) want(when string, ids ...string) {
	s.t.Helper()
	got, _ := listed(s.world, "")
	slices.Sort(ids)
	ofGot := strings.Fields(got)
	slices.Sort(ofGot)
	if !slices.Equal(ofGot, ids) {
		s.t.Errorf("%s: listed are %v, want %v", when, ofGot, ids)
	}
}

func times(n int, kind string) (all []string) {
	for range n {
		all = append(all, kind)
	}
	return all
}

// TestRedrivesOfEqualLetters: what a move task took comes back with new ids, and
// may be equal in everything to what it did not take.
func TestRedrivesOfEqualLetters(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(s *sqs)
		want string
	}{
		{"all delivered", func(s *sqs) { s.dies(times(5, "a")...); s.redrive(deadletter.Completed, 5, 200) }, ""},
		{"two of them refused again", func(s *sqs) { s.dies(times(5, "a")...); s.redrive(deadletter.Completed, 5, 404, 200, 200, 404, 200) },
			"m006 m009"},
		{"all refused again", func(s *sqs) { s.dies(times(3, "a")...); s.redrive(deadletter.Completed, 3, 404) }, "m004 m005 m006"},
		{"and redriven again", func(s *sqs) {
			s.dies(times(3, "a")...)
			s.redrive(deadletter.Completed, 3, 404)
			s.redrive(deadletter.Completed, 3, 200, 404, 200)
		}, "m008"},
		{"none tried yet", func(s *sqs) { s.dies(times(5, "a")...); s.redrive(deadletter.Running, 5, 0) }, ""},
		{"half of them moved so far", func(s *sqs) { s.dies(times(4, "a")...); s.redrive(deadletter.Running, 2, 0) }, "m003 m004"},
		{"cancelled half way", func(s *sqs) { s.dies(times(4, "a")...); s.redrive(deadletter.Cancelled, 2, 200) }, "m003 m004"},
		{"failed half way, and refused again", func(s *sqs) { s.dies(times(4, "a")...); s.redrive(deadletter.Failed, 2, 404) },
			"m003 m004 m005 m006"},
		{"cancelled before it moved any, and the same is sent again", func(s *sqs) {
			s.dies(times(2, "a")...)
			s.redrive(deadletter.Cancelled, 0)
			s.tried("x", "a", 200)
		}, "m001 m002"},
		{"tenants and endpoints mixed", func(s *sqs) {
			s.dies("a1", "b1", "a2", "b1", "a1")
			s.redrive(deadletter.Completed, 5, 200, 404, 200, 200, 404)
		}, "m007 m010"},
		{"half of the mixed ones", func(s *sqs) { s.dies("a1", "b1", "a2", "b1", "a1"); s.redrive(deadletter.Cancelled, 3, 200, 404, 200) },
			"m004 m005 m007"},
		{"one was discarded before", func(s *sqs) {
			s.dies(times(3, "a")...)
			s.drop("m001")
			s.redrive(deadletter.Completed, 2, 200)
		}, ""},
		{"a letter came while the task ran", func(s *sqs) {
			s.dies(times(2, "a")...)
			s.redrive(deadletter.Completed, 2, 200)
			s.dies("a")
		}, "m005"},
		{"the last one came too late for the task", func(s *sqs) { s.dies(times(3, "a")...); s.redrive(deadletter.Completed, 2, 200) }, "m003"},
		{"long before", func(s *sqs) {
			s.dies(times(3, "a")...)
			s.advance(time.Hour)
			s.redrive(deadletter.Completed, 3, 404, 200, 200)
		}, "m004"},
		{"without ids", func(s *sqs) { s.dies(times(3, "no-id")...); s.redrive(deadletter.Completed, 3, 200, 404, 200) }, "m005"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSQS(t)
			c.do(s)
			s.want("the first look", strings.Fields(c.want)...)
			s.want("the second look", strings.Fields(c.want)...)
			s.advance(10 * time.Minute)
			s.want("later", strings.Fields(c.want)...)
		})
	}
}

// TestRedrivesWhileTheCountLags: SQS may count a minute late. Where messages have
// ids, the attempts tell what came back.
func TestRedrivesWhileTheCountLags(t *testing.T) {
	t.Parallel()
	for _, counted := range []int{-5, -2, 0, 3, 5, 100} {
		t.Run(fmt.Sprint(counted), func(t *testing.T) {
			t.Parallel()
			s := newSQS(t)
			s.dies(times(5, "a")...)
			s.redrive(deadletter.Completed, 5, 200)
			s.othersOwn = counted
			s.want("all delivered")
			s.dies("b", "a")
			s.redrive(deadletter.Completed, 2, 404)
			s.want("two refused again", "m013", "m014")
		})
	}
}

// TestCountsThatAreTooLow: what they hide for a minute is not forgotten, and a task
// that moved nothing leaves no doubt.
func TestCountsThatAreTooLow(t *testing.T) {
	t.Parallel()
	s := newSQS(t)
	s.dies(times(4, "no-id")...)
	s.advance(3 * time.Minute)
	s.redrive(deadletter.Cancelled, 0)
	s.othersOwn = -4
	s.want("none moved", "m001", "m002", "m003", "m004")
	s.redrive(deadletter.Cancelled, 2, 0)
	s.othersOwn = -2
	s.want("two moved, none counted")
	s.othersOwn = 0
	s.want("two moved", "m003", "m004")
}

// TestCameBack: each life is "id kind born died", and died is "-" for what was
// delivered; "id<origin" was replayed.
func TestCameBack(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, lives, tasks, over, want string }{
		{"one", "a k 1 1, x k 3 -", "COMPLETED/1/2", "", "a"},
		{"another tenant", "a k 1 1, x j 3 -", "COMPLETED/1/2", "", ""},
		{"before the task", "a k 1 1, x k 1 -", "COMPLETED/1/2", "", ""},
		{"died after the task began", "a k 1 2, x k 3 -", "COMPLETED/1/2", "", ""},
		{"born as the task began", "a k 1 1, x k 2 -", "COMPLETED/1/2", "", "a"},
		{"no task", "a k 1 1, x k 3 -", "", "", ""},
		{"the one that died first", "a k 1 5, b k 2 4, x k 7 -", "RUNNING/0/6", "", "b"},
		{"one was dealt with", "a k 1 1, b k 2 2, x k 5 -", "RUNNING/0/4", "a", "b"},
		{"no more than the task moved", "a k 1 1, b k 1 2, x k 5 -, y k 6 -", "CANCELLED/1/4", "", "a"},
		{"nor than a failed one did", "a k 1 1, b k 1 2, x k 5 -, y k 6 -", "FAILED/1/4", "", "a"},
		{"one that runs may have moved more", "a k 1 1, b k 1 2, x k 5 -, y k 6 -", "RUNNING/1/4", "", "a b"},
		{"a replayed one is none that came back", "a k 1 1, b k 2 2, x<a k 5 -", "COMPLETED/2/4", "a", ""},
		{"nor one that a task took", "a k 1 1, x<a k 3 4, b k 5 5, y k 8 -", "COMPLETED/2/7", "a", "b"},
		{"twice", "a k 1 1, x k 3 3, y k 5 -", "COMPLETED/1/2 COMPLETED/1/4", "", "a x"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var tasks []deadletter.Move
			for _, text := range strings.Fields(c.tasks) {
				f := strings.Split(text, "/")
				moved, _ := strconv.Atoi(f[1])
				tasks = append(tasks, deadletter.Move{Status: f[0], Moved: int64(moved), Started: second(f[2])})
			}
			var history []attempt.Record
			for _, text := range strings.Split(c.lives, ", ") {
				f := strings.Fields(text)
				id, origin, _ := strings.Cut(f[0], "<")
				r := attempt.Record{Origin: origin, MessageID: id, Attempt: 1, At: second(f[2]), Tenant: f[1], Verdict: attempt.Delivered}
				if f[3] != "-" { // by another channel than it was born on
					r.Verdict = attempt.Retryable
					dead := r
					dead.Attempt, dead.Channel, dead.At, dead.Verdict = 2, "sms", second(f[3]), attempt.Exhausted
					history = append(history, dead)
				}
				history = append(history, r)
			}
			got := slices.Sorted(maps.Keys(cameBack(livesIn(history), tasks, func(r attempt.Record) bool { return r.MessageID == c.over })))
			if strings.Join(got, " ") != c.want {
				t.Errorf("came back: %v, want %s", got, c.want)
			}
		})
	}
}

// second is so many seconds after the start.
func second(text string) time.Time {
	n, _ := strconv.Atoi(text)
	return start.Add(time.Duration(n) * time.Second)
}

// TestAnyHistoryOfRedrives does what comes to its mind, and compares the list
// with the queue after each step. After a task that was cut short its producers
// send no equals of what it moved: see cameBack.
func TestAnyHistoryOfRedrives(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s, r := newSQS(t), rand.New(rand.NewPCG(seed, 11))
			kinds := []string{"a", "a2", "b", "a-no-id"}
			cut := 0
			for step := range 25 {
				did := ""
				switch pick := r.IntN(10); {
				case pick < 4:
					did = "dies"
					s.dies(fmt.Sprint(kinds[r.IntN(len(kinds))], "-", cut))
				case pick < 5 && len(s.order) > 0:
					did = "drop"
					s.drop(s.order[r.IntN(len(s.order))])
				case pick < 8:
					did = "redriven"
					s.redrive(deadletter.Completed, len(s.order), r.IntN(2)*200, 200, 404)
				case pick < 9:
					n := r.IntN(len(s.order) + 1)
					did = fmt.Sprint("redriven in part ", n)
					cut++
					s.redrive([]string{deadletter.Cancelled, deadletter.Failed}[r.IntN(2)], n, 200, 404)
				default:
					did = "waits"
					s.advance(time.Duration(r.IntN(100)) * time.Second)
				}
				if s.want(fmt.Sprintf("step %d, %s", step, did), slices.Clone(s.order)...); t.Failed() {
					return
				}
			}
		})
	}
}
