package replay

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/message"
)

// sqs plays what SQS, the handler that sends, and the waiting room do with
// messages. Those of one kind are equal: same id, tenant, URL and body.
type sqs struct {
	*world
	n     int
	order []string // of the letters, by when they came
	all   map[string]alive
	room  []alive // what waits there
}

// alive is a message under one SQS id.
type alive struct {
	id, kind string
	carried  message.Carried
	number   int // of the last attempt
}

func newSQS(t *testing.T) *sqs { return &sqs{world: newWorld(t), all: map[string]alive{}} }

// arrives is a message under a new SQS id, tried with the answers in turn: 0 is
// that it is not tried yet, 503 that it waits in the room then, unless one more
// comes.
func (s *sqs) arrives(kind string, carried message.Carried, answers ...int) {
	s.n++
	s.tried(fmt.Sprintf("m%03d", s.n), kind, carried, answers...)
}

func (s *sqs) tried(id, kind string, carried message.Carried, answers ...int) {
	m := alive{id, kind, carried, carried.Attempts}
	for i, status := range answers {
		if status == 0 {
			continue
		}
		s.advance(3 * time.Millisecond)
		m.number++
		s.attempt(m, status, i == len(answers)-1)
		s.advance(3 * time.Millisecond)
	}
}

// attempt is one attempt, that takes some time: 200, a letter for 404, and a
// wait for 503.
func (s *sqs) attempt(m alive, status int, last bool) {
	url := "https://a.test/" + m.kind
	r := attempt.Record{WebhookID: "evt", Origin: cmp.Or(m.carried.Origin, m.id), MessageID: m.id, Attempt: m.number, At: s.now, URL: url,
		EventType: "e", Tenant: m.kind[:1], Status: status, Reason: fmt.Sprint(status)}
	own := `"id":"evt",`
	if strings.Contains(m.kind, "no-id") {
		r.WebhookID, own = cmp.Or(m.carried.ID, m.id), ""
	}
	switch status {
	case 200:
		r.Verdict, r.Reason = attempt.Delivered, ""
	case 503:
		r.Verdict, r.Waiting = attempt.Retryable, last
		if last {
			m.carried.ID, m.carried.Origin, m.carried.Attempts = r.WebhookID, r.Origin, m.number
			s.room = append(s.room, m)
		}
	default:
		r.Verdict = attempt.Permanent
		s.dead(m, `{`+own+`"url":"`+url+`","secret":"efferent/webhooks/a","event_type":"e","tenant":"`+m.kind[:1]+`","body":1}`)
	}
	s.record(r)
}

// dead puts a message in the dead-letter queue, with what it carries.
func (s *sqs) dead(m alive, body string) {
	attributes := map[string]events.SQSMessageAttribute{}
	for name, text := range m.carried.Attributes() {
		attributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &text}
	}
	s.letters[m.id] = &parkedLetter{msg: events.SQSMessage{MessageId: m.id, ReceiptHandle: "r-" + m.id, Body: body,
		Attributes: map[string]string{"SentTimestamp": "1"}, MessageAttributes: attributes}}
	s.all[m.id], s.order = m, append(s.order, m.id)
}

// dies sends new messages that are refused.
func (s *sqs) dies(kinds ...string) {
	for _, kind := range kinds {
		s.arrives(kind, message.Carried{}, 404)
	}
}

// release sends what has waited longest, copies times: a release that died
// before it knew that it had sent sends again.
func (s *sqs) release(copies int, answers ...int) {
	m := s.room[0]
	s.room = s.room[1:]
	m.carried.Released = s.now
	for range copies {
		s.arrives(m.kind, m.carried, answers...)
	}
}

// replay replays a letter by the API, and its new message is tried.
func (s *sqs) replay(id string, answers ...int) {
	s.advance(time.Second)
	get[Started](s.world, "POST", path("/replay/"+id), "")
	sent := s.sent[len(s.sent)-1].attributes
	s.arrives(s.all[id].kind, message.CarriedBy(func(name string) *string { text := sent[name]; return &text }, s.now), answers...)
	s.order = slices.DeleteFunc(s.order, func(o string) bool { return o == id })
}

// redrive has a task take n letters, those that came first; they come back as
// new messages with what they carried, and each is answered as told: 0 is not
// yet.
func (s *sqs) redrive(status string, n int, answers ...int) {
	s.advance(3 * time.Millisecond)
	s.moves = slices.Insert(s.moves, 0, deadletter.Move{Status: status, Started: s.now.Truncate(time.Millisecond), Moved: int64(n),
		ToMove: int64(len(s.order))})
	s.moves = s.moves[:min(10, len(s.moves))]
	taken := s.order[:n]
	s.order = slices.Clone(s.order[n:])
	for i, id := range taken {
		delete(s.letters, id)
		s.arrives(s.all[id].kind, s.all[id].carried, answers[i%len(answers)])
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
			s.tried("x", "a", message.Carried{}, 200)
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
		{"out of the room, refused", func(s *sqs) { s.arrives("a", message.Carried{}, 503); s.release(1, 404) }, "m002"},
		{"out of the room, refused, redriven and delivered", func(s *sqs) {
			s.arrives("a", message.Carried{}, 503, 503)
			s.dies("a")
			s.release(1, 503, 404)
			s.redrive(deadletter.Completed, 2, 200, 404)
		}, "m005"},
		{"half of those that were in the room", func(s *sqs) {
			for range 3 {
				s.arrives("a", message.Carried{}, 503)
			}
			for range 3 {
				s.release(1, 404)
			}
			s.redrive(deadletter.Cancelled, 2, 200, 404)
		}, "m006 m008"},
		{"sent twice out of the room, both refused", func(s *sqs) { s.arrives("a", message.Carried{}, 503); s.release(2, 404) }, "m002 m003"},
		{"and one of them replayed", func(s *sqs) {
			s.arrives("a", message.Carried{}, 503)
			s.release(2, 404)
			s.replay("m002", 200)
		}, "m003"},
		{"and one of them redriven", func(s *sqs) {
			s.arrives("a", message.Carried{}, 503)
			s.release(2, 404)
			s.redrive(deadletter.Cancelled, 1, 404)
		}, "m003 m004"},
		{"replayed, into the room, refused", func(s *sqs) { s.dies("a", "a"); s.replay("m001", 503); s.release(1, 404) }, "m002 m004"},
		{"redriven, into the room", func(s *sqs) { s.dies("a", "a"); s.redrive(deadletter.Cancelled, 1, 503) }, "m002"},
		{"out of the room, refused, redriven, not tried yet", func(s *sqs) {
			s.arrives("a", message.Carried{}, 503)
			s.release(1, 404)
			s.redrive(deadletter.Running, 1, 0)
		}, ""},
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
// delivered; "id<origin@4" carries its origin, and began with that attempt. A
// kind may have the channel that it began with.
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
		{"one that was in the room", "a<o@3 k 1 1, x<o@3 k 5 -", "CANCELLED/1/2", "", "a"},
		{"and began again with its first channel", "a<o@3 k/slack 1 1, x<o@3 k/email 5 -", "CANCELLED/1/2", "", "a"},
		{"one comes out of the room", "a<o@3 k 1 1, x<o@4 k 5 -", "CANCELLED/1/2", "", ""},
		{"of another origin", "a<o@3 k 1 1, x<p@3 k 5 -", "CANCELLED/1/2", "", ""},
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
				origin, number, _ := strings.Cut(origin, "@")
				from, _ := strconv.Atoi(cmp.Or(number, "1"))
				kind, channel, _ := strings.Cut(f[1], "/")
				r := attempt.Record{Origin: origin, MessageID: id, Attempt: from, At: second(f[2]), Tenant: kind, Channel: channel,
					Verdict: attempt.Delivered}
				if f[3] != "-" { // by another channel than it was born on
					r.Verdict = attempt.Retryable
					dead := r
					dead.Attempt, dead.Channel, dead.At, dead.Verdict = from+1, "sms", second(f[3]), attempt.Exhausted
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

// TestAnyHistory does what comes to its mind, and compares the list with the
// queue after each step. After a task that was cut short no equals of what it
// moved are sent, by producers or by a release that sends twice: see cameBack.
func TestAnyHistory(t *testing.T) {
	t.Parallel()
	for seed := range uint64(histories) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			s, r := newSQS(t), rand.New(rand.NewPCG(seed, 11))
			for step, cut := 0, 0; step < 25; step++ {
				did := s.something(r, &cut)
				if s.want(fmt.Sprintf("step %d, %s", step, did), slices.Clone(s.order)...); t.Failed() {
					return
				}
			}
		})
	}
}

// histories is how many are tried.
const histories = 200

// something does one thing, and says what. cut is how many tasks were cut short.
func (s *sqs) something(r *rand.Rand, cut *int) string {
	kinds := []string{"a", "a2", "b", "a-no-id"}
	kind := fmt.Sprint(kinds[r.IntN(len(kinds))], "-", *cut)
	answers := func() []int { return [][]int{{200}, {404}, {503}, {503, 404}, {503, 503, 200}}[r.IntN(5)] }
	pick := func() string { return s.order[r.IntN(len(s.order))] }
	switch n := r.IntN(14); {
	case n < 4:
		s.dies(kind)
		return "dies"
	case n < 6:
		s.arrives(kind, message.Carried{}, 503)
		return "waits in the room"
	case n < 8 && len(s.room) > 0:
		if r.IntN(4) == 0 { // that it had sent the first one was not kept
			s.release(2, []int{200, 404}[r.IntN(2)])
			return "released twice"
		}
		s.release(1, answers()...)
		return "released"
	case n < 9 && len(s.order) > 0:
		s.drop(pick())
		return "discarded"
	case n < 10 && len(s.order) > 0:
		s.replay(pick(), answers()...)
		return "replayed"
	case n < 12:
		s.redrive(deadletter.Completed, len(s.order), r.IntN(2)*200, 200, 404, 503)
		return "redriven"
	case n < 13:
		moved := r.IntN(len(s.order) + 1)
		*cut++
		s.redrive([]string{deadletter.Cancelled, deadletter.Failed}[r.IntN(2)], moved, 200, 404, 503)
		return fmt.Sprint("redriven in part ", moved)
	}
	s.advance(time.Duration(r.IntN(100)) * time.Second)
	return "time passes"
}
