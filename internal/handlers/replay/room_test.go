package replay

import (
	"context"
	"fmt"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// room is the world's waiting room, and the way out of it.
type room world

func (m *room) call(op string, do func() error) error { return (*world)(m).call(op, do) }

func (m *room) Page(ctx context.Context, from string, limit int) (items []waiting.Item, next string, err error) {
	err = m.call("page", func() (err error) { items, next, err = m.store.Page(ctx, from, limit); return err })
	return items, next, err
}

func (m *room) Count(ctx context.Context, place waiting.Place, limit int) (n int, more bool, err error) {
	err = m.call("count", func() (err error) { n, more, err = m.store.Count(ctx, place, limit); return err })
	return n, more, err
}

func (m *room) Enter(ctx context.Context, i waiting.Item) (state waiting.State, err error) {
	err = m.call("enter", func() (err error) { state, err = m.store.Enter(ctx, i); return err })
	return state, err
}

func (m *room) In(context.Context, waiting.Place, string, int) ([]waiting.Item, error) {
	panic("nobody asks")
}

func (m *room) Settle(ctx context.Context, items []waiting.Item, as waiting.State) error {
	return m.call("settle as "+string(as), func() error { return m.store.Settle(ctx, items, as) })
}

func (m *room) Lease(ctx context.Context, place waiting.Place, holder string, now, until time.Time) (ok bool, err error) {
	err = m.call("lease", func() (err error) { ok, err = m.store.Lease(ctx, place, holder, now, until); return err })
	return ok, err
}

func (m *room) Unlease(ctx context.Context, place waiting.Place, holder string) error {
	return m.call("unlease", func() error { return m.store.Unlease(ctx, place, holder) })
}

// Send is waiting.Sender's.
func (m *room) Send(_ context.Context, queue string, messages []waiting.Outgoing) (sentOnes []int, err error) {
	err = m.call("send", func() error {
		for i, out := range messages {
			attributes := map[string]string{"queue": queue, "group": out.Group}
			for name, a := range out.Attributes {
				attributes[name] = a.Text
			}
			m.sent = append(m.sent, sent{out.Body, attributes})
			sentOnes = append(sentOnes, i)
		}
		return nil
	})
	if err != nil {
		sentOnes = nil
	}
	return sentOnes, err
}

// Put keeps records.
func (w *world) Put(ctx context.Context, records []attempt.Record) error {
	return w.call("record", func() error { return w.store.Put(ctx, records) })
}

// newExit is a way out of the room for a process that begins.
func newExit(w *world) *waiting.Exit {
	return &waiting.Exit{Places: (*room)(w), Sender: (*room)(w), Now: w.time, Holder: "api"}
}

// wait has a message wait that came in n minutes before now and is due n hours
// after it: a webhook of a tenant, or a notification where it is to a channel.
func (w *world) wait(n int, tenant, to string, why waiting.Reason) waiting.Item {
	w.t.Helper()
	i := waiting.Item{
		Queue: "webhooks", MessageID: fmt.Sprintf("w%03d", n), Attempt: 3, Due: w.now.Add(time.Duration(n) * time.Hour), State: waiting.Waiting,
		Body:  fmt.Sprintf(`{"url":"https://%s?t=1","secret":"s","event_type":"e","tenant":%q,"body":1}`, to, tenant),
		Group: tenant, Attributes: map[string]message.Attribute{"own": message.Text("o")},
		Carried:   message.Carried{ID: fmt.Sprint("evt_", n), Origin: "origin", Attempts: 3, First: w.now.Add(-time.Hour)},
		WebhookID: fmt.Sprint("evt_", n), Tenant: tenant, URL: "https://" + to, Reason: why, Why: "503",
		Since: w.now.Add(-time.Duration(n) * time.Minute),
	}
	if to == "email" {
		i.Queue, i.URL, i.Channel = "notifications", "", to
		i.Body = fmt.Sprintf(`{"channel":"email","recipient":"ann@acme.test","body":"b","tenant":%q}`, tenant)
	}
	if _, err := w.store.Enter(w.t.Context(), i); err != nil {
		w.t.Fatal(err)
	}
	return i
}

// waits are the ids of what waits, and of the others what became of them.
func (w *world) inRoom() string {
	text := ""
	for _, i := range w.store.Room() {
		text += " " + i.MessageID
		if i.State != waiting.Waiting {
			text += ":" + string(i.State)
		}
	}
	if text == "" {
		return ""
	}
	return text[1:]
}
