package notify

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/deadletter"
)

var classes = []channel.Class{"", channel.Permanent, channel.Transient, channel.Configuration, channel.Unknown, channel.OptedOut}

// expected is what the rules say of a chain whose channel at a position always
// fails with a class, and those before it for good: how often each channel is
// asked, and how it ends. It is written apart from the code, from the table of
// the design.
func expected(chain []channel.Name, position int, class channel.Class) (calls map[channel.Name]int, end string) {
	calls = map[channel.Name]int{}
	for i, on := range chain[:position+1] {
		calls[on] = 1
		if i < position {
			continue
		}
		switch {
		case class == "":
			return calls, "sent"
		case class == channel.OptedOut, class == channel.Unknown && on == channel.SMS:
			return calls, "parked"
		case class == channel.Transient, class == channel.Unknown:
			calls[on] = 4
		}
	}
	if position+1 == len(chain) {
		return calls, "parked"
	}
	calls[chain[position+1]] = 1
	return calls, "sent"
}

// TestEveryClassEverywhere goes through every class, on every channel, at every
// position of every chain.
func TestEveryClassEverywhere(t *testing.T) {
	t.Parallel()
	for _, chain := range [][]channel.Name{
		{"email"}, {"slack"}, {"sms"},
		{"email", "slack"}, {"email", "sms"}, {"slack", "email"}, {"slack", "sms"}, {"sms", "email"}, {"sms", "slack"},
		{"email", "slack", "sms"}, {"email", "sms", "slack"}, {"slack", "email", "sms"}, {"slack", "sms", "email"}, {"sms", "email", "slack"},
		{"sms", "slack", "email"},
	} {
		for position, on := range chain {
			for _, class := range classes {
				t.Run(fmt.Sprintf("%v/%s is %s", chain, on, class), func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					var fallback []string
					for i, name := range chain {
						if i < position {
							w.answers[name] = []channel.Outcome{{Class: channel.Permanent, Reason: "no such recipient"}}
						}
						if i > 0 {
							fallback = append(fallback, fmt.Sprintf("%q", name))
						}
					}
					if class != "" {
						w.answers[on] = []channel.Outcome{{Class: class, Reason: "as told"}}
					}
					q := w.message("a", text("n_1", chain[0], `,"fallback":[`+strings.Join(fallback, ",")+`]`))
					end := w.run(q)
					calls, wantEnd := expected(chain, position, class)
					for _, name := range chain {
						if w.count(name) != calls[name] {
							t.Errorf("%s was asked %d times, want %d: %s", name, w.count(name), calls[name], w.story("n_1", q))
						}
					}
					if end != wantEnd {
						t.Errorf("it was %s, want %s: %s", end, wantEnd, w.story("n_1", q))
					}
					w.checkResult(q, chain, position, class, end)
				})
			}
		}
	}
}

// checkResult holds the last record and the ledger against what happened.
func (w *world) checkResult(q *queued, chain []channel.Name, position int, class channel.Class, end string) {
	w.t.Helper()
	records := w.recorded("n_1")
	last := records[len(records)-1]
	var failed []string
	for _, name := range chain[:position] {
		failed = append(failed, string(name))
	}
	if class != "" {
		failed = append(failed, string(chain[position]))
	}
	if !slices.Equal(last.FailedChannels, failed) {
		w.t.Errorf("failed channels are %v, want %v", last.FailedChannels, failed)
	}
	if end == "sent" && (last.Verdict != attempt.Delivered || last.ProviderID == "" || last.Recipient == "") {
		w.t.Errorf("the result is %+v", last)
	}
	if end == "parked" && (deadletter.QueueOf(last) != "notification-failures" || last.Reason == "") {
		w.t.Errorf("it was parked as %+v", last)
	}
	if alarmed := len(w.alarms) > 0; alarmed != (class == channel.Configuration) {
		w.t.Errorf("alarms: %v", w.alarms)
	}
	if attempts, outcomes := w.told("notification.attempt"); attempts != len(records) || outcomes != len(records) {
		w.t.Errorf("the ledger has %d attempts and %d outcomes of %d", attempts, outcomes, len(records))
	}
	if e := w.entries[len(w.entries)-1]; !slices.Equal(e.FailedChannels, failed) || strings.Contains(e.Resource, "ann@") {
		w.t.Errorf("the last entry is %+v", e)
	}
}

func TestRetriesAreTheChannels(t *testing.T) {
	t.Parallel()
	busy := channel.Outcome{Class: channel.Transient, Reason: "busy", Status: 450}
	for _, c := range []struct {
		name    string
		answers []channel.Outcome
		more    string
		want    string
		took    time.Duration
	}{
		{"twice, then sent", []channel.Outcome{busy, busy, {}}, "",
			"1:email:transient:retryable 2:email:transient:retryable 3:email::delivered", 3 * time.Second},
		{"four times, then the next", []channel.Outcome{busy}, "",
			"1:email:transient:retryable 2:email:transient:retryable 3:email:transient:retryable 4:email:transient:retryable 5:slack::delivered",
			7 * time.Second},
		{"asked to wait", []channel.Outcome{{Class: channel.Transient, RetryAfter: 30 * time.Second}, {}}, "",
			"1:email:transient:retryable 2:email::delivered", 30 * time.Second},
		{"asked to wait for an hour, and there is another channel", []channel.Outcome{{Class: channel.Transient, RetryAfter: time.Hour}, {}}, "",
			"1:email:transient:retryable 2:slack::delivered", 0},
		{"asked to wait for an hour, and there is none", []channel.Outcome{{Class: channel.Transient, RetryAfter: time.Hour}, {}},
			`,"fallback":[]`,
			"1:email:transient:retryable 2:email::delivered", time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.answers["email"] = c.answers
			began := w.now
			q := w.message("a", text("n_1", "email", c.more))
			if end := w.run(q); end != "sent" || w.story("n_1", q) != c.want || w.now.Sub(began) != c.took {
				t.Errorf("%s after %s: %s", end, w.now.Sub(began), w.story("n_1", q))
			}
		})
	}
}

func TestWhatIsNotAsked(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		absent     channel.Name
		absentErr  error
		end, says  string
		calls      int
	}{
		{name: "malformed", text: `{"id":"n_1","channel":"fax"}`, end: "parked", says: `field "channel"`},
		{name: "no JSON", text: `hello`, end: "parked", says: "JSON"},
		{name: "own channel as fallback", text: text("n_1", "email", `,"fallback":["email"]`), end: "parked", says: `field "fallback"`},
		{name: "not configured, and there is another", text: text("n_1", "email", ""), absent: "email", absentErr: channel.ErrNotConfigured,
			end: "sent", says: "not configured", calls: 1},
		{name: "not configured, and there is none", text: text("n_1", "email", `,"fallback":[]`), absent: "email",
			absentErr: channel.ErrNotConfigured, end: "parked", says: "not configured"},
		{name: "its secret can't be read", text: text("n_1", "email", `,"fallback":[]`), absent: "email", absentErr: errors.New("throttled"),
			end: "parked", says: "throttled"},
		{name: "no address on the other channel", text: `{"id":"n_1","channel":"email","recipient":"ann@acme.test","body":"b",` +
			`"fallback":["sms"]}`,
			absent: "email", absentErr: channel.ErrNotConfigured, end: "parked", says: "no address for sms"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.absent[c.absent] = c.absentErr
			q := w.message("a", c.text)
			end := w.run(q)
			calls := w.count("email") + w.count("slack") + w.count("sms")
			reasons := ""
			for _, r := range append(w.recorded("n_1"), w.recorded("m-a")...) {
				reasons += r.Reason + "\n"
			}
			if end != c.end || calls != c.calls || !strings.Contains(reasons, c.says) {
				t.Errorf("%s after %d hand-overs: %s", end, calls, reasons)
			}
		})
	}
}

func TestOptOut(t *testing.T) {
	t.Parallel()
	for more, want := range map[string]string{"": "parked", `,"fallback_on_opt_out":true`: "sent"} {
		w := newWorld(t)
		w.answers["sms"] = []channel.Outcome{{Class: channel.OptedOut, Reason: "STOP"}}
		if end := w.run(w.message("a", text("n_1", "sms", more))); end != want || w.count("email") != map[string]int{"sent": 1}[end] {
			t.Errorf("with %q: %s, %d emails", more, end, w.count("email"))
		}
	}
}

// told counts the ledger's entries of an action, and all others.
func (w *world) told(action string) (these, others int) {
	for _, e := range w.entries {
		if e.Action == action {
			these++
		}
	}
	return these, len(w.entries) - these
}

// TestARecordSaysHowLong: what a provider took is in the record, and the ledger
// has its outcome at the time that it came.
func TestARecordSaysHowLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	began := w.now
	w.during = func(channel.Name) { w.advance(3 * time.Second) }
	w.run(w.message("a", text("n_1", "email", "")))
	if records := w.recorded("n_1"); len(records) != 1 || !records[0].At.Equal(began) || records[0].DurationMS != 3000 {
		t.Errorf("recorded are %+v", records)
	}
	if outcome := w.entries[len(w.entries)-1]; !outcome.Timestamp.Equal(began.Add(3 * time.Second)) {
		t.Errorf("the ledger has %+v", outcome)
	}
}

// TestARecordSaysWhatWasSaid: what the provider said of a failure is in its record.
func TestARecordSaysWhatWasSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers["email"] = []channel.Outcome{{Class: channel.Permanent, Status: 550, Reason: "SMTP: 550", Response: "550 no such user"}}
	w.run(w.message("a", text("n_1", "email", "")))
	if records := w.recorded("n_1"); len(records) != 2 || records[0].Response != "550 no such user" || records[0].Status != 550 ||
		records[1].ProviderID == "" {
		t.Errorf("recorded are %+v", records)
	}
}

// TestWithoutAnAddress: only a channel that knows its recipient by itself is used
// without one.
func TestWithoutAnAddress(t *testing.T) {
	t.Parallel()
	for itself, want := range map[channel.Name]string{
		"slack": "1:email:permanent:retryable 2:slack::delivered", "": "1:email:permanent:retryable 2:slack:configuration:permanent",
	} {
		w := newWorld(t)
		w.at = itself
		w.answers["email"] = []channel.Outcome{{Class: channel.Permanent, Reason: "550"}}
		q := w.message("a", `{"id":"n_1","channel":"email","recipient":"ann@acme.test","body":"b","fallback":["slack"]}`)
		if w.run(q); w.story("n_1", q) != want {
			t.Errorf("%q: %s", itself, w.story("n_1", q))
		}
	}
}

// TestADeadMessageDrainsUnread: an instance reads nothing for a message that it has
// seen die.
func TestADeadMessageDrainsUnread(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers["email"] = []channel.Outcome{{Class: channel.Permanent, Reason: "550"}}
	end := w.run(w.message("a", text("n_1", "email", `,"fallback":[]`)))
	if end != "parked" || w.ops["history"] != 0 || w.count("email") != 1 {
		t.Errorf("%s after %d emails and %d reads", end, w.count("email"), w.ops["history"])
	}
}
