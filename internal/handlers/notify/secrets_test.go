package notify

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/need"
)

// TestARefusedSecretIsReadAnew: a provider that refuses what a cached secret
// says is asked once more, with a newer one where there is one.
func TestARefusedSecretIsReadAnew(t *testing.T) {
	t.Parallel()
	refused := channel.Outcome{Class: channel.Configuration, Reason: "535"}
	for _, c := range []struct {
		name    string
		on      channel.Name
		current int // version of the secret; 1 is cached, and refused
		then    channel.Outcome
		story   string
		calls   int
		alarms  int
	}{
		{"a newer one that works", "email", 2, channel.Outcome{}, "1:email:configuration:retryable 2:email::delivered", 2, 0},
		{"a newer one that works for SMS", "sms", 2, channel.Outcome{}, "1:sms:configuration:retryable 2:sms::delivered", 2, 0},
		{"a newer one that is refused", "email", 2, refused, "1:email:configuration:retryable 2:email:configuration:retryable " +
			"3:slack::delivered", 2, 1},
		{"a newer one, and then it is busy", "email", 2, channel.Outcome{Class: channel.Transient, Reason: "450"},
			"1:email:configuration:retryable 2:email:transient:retryable 3:email:transient:retryable 4:email:transient:retryable " +
				"5:email:transient:retryable 6:slack::delivered", 5, 0},
		{"no newer one", "email", 1, channel.Outcome{}, "1:email:configuration:retryable 2:slack::delivered", 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.secrets[c.on] = &secret{current: c.current, cached: 1, readAt: w.now.Add(-time.Minute)}
			w.refuses[c.on] = &refusal{1, refused}
			w.answers[c.on] = []channel.Outcome{c.then}
			q := w.message("a", text("n_1", c.on, ""))
			if end := w.run(q); end != "sent" || w.story("n_1", q) != c.story || w.count(c.on) != c.calls || len(w.alarms) != c.alarms {
				t.Errorf("%s after %d calls, with %d alarms: %s", end, w.count(c.on), len(w.alarms), w.story("n_1", q))
			}
			if attempts, outcomes := w.told("notification.attempt"); attempts != outcomes {
				t.Errorf("the ledger has %d attempts and %d outcomes", attempts, outcomes)
			}
		})
	}
}

// TestASecretThatKeepsChanging: a message asks once whether there is a newer one,
// however many there come to be.
func TestASecretThatKeepsChanging(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secrets["email"] = &secret{current: 1, cached: 1, readAt: w.now.Add(-time.Minute)}
	w.answers["email"] = []channel.Outcome{{Class: channel.Configuration, Reason: "535"}}
	w.during = func(channel.Name) {
		w.advance(time.Minute)
		w.secrets["email"].current++
	}
	q := w.message("a", text("n_1", "email", ""))
	if end := w.run(q); end != "sent" || w.count("email") != 2 || w.count("slack") != 1 {
		t.Errorf("%s after %d emails: %s", end, w.count("email"), w.story("n_1", q))
	}
}

// TestAFailureAsksForANewerSecret: the try after a failure is made with a secret
// that was read since.
func TestAFailureAsksForANewerSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.secrets["email"] = &secret{current: 2, cached: 1, readAt: w.now.Add(-time.Minute)}
	w.refuses["email"] = &refusal{1, channel.Outcome{Class: channel.Transient, Reason: "450"}}
	q := w.message("a", text("n_1", "email", ""))
	if end := w.run(q); end != "sent" || w.story("n_1", q) != "1:email:transient:retryable 2:email::delivered" {
		t.Errorf("%s: %s", end, w.story("n_1", q))
	}
}

// TestAChannelThatWasJustConfigured: that there is no secret is cached too.
func TestAChannelThatWasJustConfigured(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.absent["email"] = channel.ErrNotConfigured
	w.appears = "email"
	q := w.message("a", text("n_1", "email", ""))
	if end := w.run(q); end != "sent" || w.story("n_1", q) != "1:email:configuration:retryable 2:email::delivered" {
		t.Errorf("%s: %s", end, w.story("n_1", q))
	}
}

// TestCutAtTheDeadline: a provider that has not answered when the sending is
// cut may have sent an SMS, so that is parked and never sent again; an email is
// sent again.
func TestCutAtTheDeadline(t *testing.T) {
	t.Parallel()
	late := channel.Outcome{Class: channel.Unknown, Reason: "time-out after the request was handed over"}
	early := channel.Outcome{Class: channel.Transient, Reason: "no connection"}
	for name, c := range map[string]struct {
		on    channel.Name
		says  channel.Outcome
		end   string
		calls int
	}{
		"SMS":                            {"sms", late, "parked", 1},
		"email":                          {"email", late, "sent", 2},
		"SMS, before it was handed over": {"sms", early, "sent", 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, on := newWorld(t), c.on
			w.answers[on] = []channel.Outcome{c.says, {}}
			q := w.message("a", text("n_1", on, ""))
			q.msg.Attributes["ApproximateReceiveCount"] = "1"
			ctx, cut := context.WithCancel(t.Context())
			w.during = func(channel.Name) { cut() }
			w.hangs = true
			out, err := w.handler().Handle(ctx, events.SQSEvent{Records: []events.SQSMessage{q.msg}})
			if err != nil || len(out.BatchItemFailures) != 1 {
				t.Fatalf("%v, %v", out, err)
			}
			w.during, w.hangs, q.receives = nil, false, 1
			if end := w.run(q); end != c.end || w.count(on) != c.calls {
				t.Errorf("%s after %d hand-overs: %s", end, w.count(on), w.story("n_1", q))
			}
		})
	}
}

// TestNewRefuses: a handler is not made without each of its needs.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, forget := range map[string]func(*Needs){
		"Senders": func(n *Needs) { n.Senders = nil }, "Claims": func(n *Needs) { n.Claims = nil },
		"Jitter": func(n *Needs) { n.Jitter = nil },
	} {
		n := newWorld(t).handler().Needs
		forget(&n)
		if h, err := New(n); !errors.Is(err, need.ErrMissing) || h != nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}
