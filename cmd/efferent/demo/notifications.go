package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/cmd/efferent/produce"
	"github.com/efferent/efferent/internal/attempt"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/standin"
)

// way is one notification of the demo: to whom it goes, how the providers
// answer, and what must become of it.
type way struct {
	id, story string
	on        channel.Name
	fallback  []string
	// to is the address on each channel, answers what the provider says there,
	// the last one for ever.
	to      map[channel.Name]string
	answers map[channel.Name][]standin.Answer
	// path are the channel and class of each attempt; by is where it arrives,
	// empty where it is parked.
	path string
	by   channel.Name

	attempts []attempt.Record // as they were seen
}

func (w *way) name() string            { return w.id }
func (w *way) seen() *[]attempt.Record { return &w.attempts }

// ways is what the demo plays.
func ways() []*way {
	never, later, lose := []standin.Answer{standin.Never}, []standin.Answer{standin.Later, standin.Take}, []standin.Answer{standin.Lose}
	all := []*way{
		{id: "receipt", story: "an email, and the mail server takes it", on: "email", path: "email:sent", by: "email"},
		{id: "alarm", story: "an email to a mailbox that is gone; Slack is next", on: "email",
			answers: map[channel.Name][]standin.Answer{"email": never}, path: "email:permanent slack:sent", by: "slack"},
		{id: "greylist", story: "an email, and the mail server is busy at first", on: "email",
			answers: map[channel.Name][]standin.Answer{"email": later}, path: "email:transient email:sent", by: "email"},
		{id: "code", story: "an SMS to a number that takes none; email is next", on: "sms",
			answers: map[channel.Name][]standin.Answer{"sms": never}, path: "sms:permanent email:sent", by: "email"},
		{id: "lost", story: "an SMS whose answer is lost: it may have arrived, so it is never sent twice", on: "sms",
			answers: map[channel.Name][]standin.Answer{"sms": lose}, path: "sms:unknown"},
		{id: "stop", story: "an SMS to somebody who has opted out: not by another way either", on: "sms",
			answers: map[channel.Name][]standin.Answer{"sms": {standin.OptedOut}}, path: "sms:opted_out"},
		{id: "unlucky", story: "Slack, SMS and email all refuse it", on: "slack", fallback: []string{"sms", "email"},
			answers: map[channel.Name][]standin.Answer{"slack": never, "sms": never, "email": never},
			path:    "slack:permanent sms:permanent email:permanent"},
	}
	for i, w := range all {
		w.to = map[channel.Name]string{"email": w.id + "@acme.test", "slack": "C0" + strings.ToUpper(w.id),
			"sms": fmt.Sprintf("+4670000000%d", i)}
	}
	return all
}

func (w *way) message() (string, error) {
	c := produce.NotifyCommand{ID: w.id, Channel: string(w.on), Recipient: []string{w.to[w.on]}, Subject: "Demo: " + w.id, Body: w.story,
		Fallback:   w.fallback,
		Recipients: map[string]string{}}
	for on, address := range w.to {
		c.Recipients[string(on)] = address
	}
	return c.Message()
}

// check says what differs in the attempts.
func (w *way) check() []string {
	var path []string
	for _, r := range w.attempts {
		path = append(path, r.Channel+":"+outcomeText(r))
	}
	if got := strings.Join(path, " "); got != w.path {
		return []string{fmt.Sprintf("%s: it went %s; promised is %s", w.id, got, w.path)}
	}
	return nil
}

// outcomeText is the class of a failed hand-over.
func outcomeText(r attempt.Record) string {
	if r.Verdict == attempt.Delivered {
		return "sent"
	}
	return r.Class
}

// providerScript answers by the ways.
func providerScript(all []*way) standin.Script {
	return func(on channel.Name, to string, nth int) standin.Answer {
		for _, w := range all {
			if script := w.answers[on]; w.to[on] == to && len(script) > 0 {
				return script[min(nth, len(script))-1]
			}
		}
		return standin.Take
	}
}

// notifications plays notifications, against stand-ins of the providers.
func (d *demo) notifications(ctx context.Context) error {
	all := ways()
	providers, err := standin.Start(providerScript(all))
	if err != nil {
		return err
	}
	defer providers.Close()
	for name, value := range providers.Secrets() {
		if err := awssecrets.Put(ctx, secretsmanager.NewFromConfig(d.aws), name, value); err != nil {
			return err
		}
	}
	fmt.Fprintf(d.out, "A mail server, Slack and Twilio are played on this machine. Seven notifications go onto the queue %q:\n\n",
		settings.NotificationsQueue)
	var acts []act
	var parked []string
	for _, w := range all {
		text, err := w.message()
		if err != nil {
			return err
		}
		if err := d.put(ctx, settings.NotificationsQueue, w.id, text); err != nil {
			return err
		}
		fmt.Fprintf(d.out, "  %-9s %s\n", w.id, w.story)
		acts = append(acts, w)
		if w.by == "" {
			parked = append(parked, w.id)
		}
	}
	fmt.Fprintf(d.out, "\n%8s  %-9s %-7s %-7s %s\n", "AFTER", "ID", "ATTEMPT", "CHANNEL", "OUTCOME")
	if err := d.follow(ctx, acts, d.printHandover); err != nil {
		return err
	}
	d.printTaken(all, providers)
	return d.checkFailures(ctx, deadletter.NotificationFailures, settings.NotificationsQueue, parked, idOfNotification)
}

func (d *demo) printHandover(a act, r attempt.Record) {
	what := r.Reason
	if r.Verdict == attempt.Delivered && len(r.FailedChannels) > 0 {
		what = "after " + strings.Join(r.FailedChannels, ", ")
	}
	d.show(fmt.Sprintf("%7.2fs  %-9s %-7d %-7s %-13s ", d.after(r), a.name(), r.Attempt, r.Channel, outcomeText(r)), what)
}

// printTaken tells who got what, and holds it against what is promised: each
// message once, and nobody twice.
func (d *demo) printTaken(all []*way, providers *standin.Providers) {
	fmt.Fprintln(d.out, "\nWho got what, as the providers tell:")
	for _, w := range all {
		var by []string
		for _, m := range providers.Taken("") {
			if m.To == w.to[m.On] {
				by = append(by, string(m.On))
				fmt.Fprintf(d.out, "  %-9s %-7s %s\n", w.id, m.On, m.To)
			}
		}
		want := []string{string(w.by)}
		switch {
		case slices.Contains(w.answers[w.on], standin.Lose):
			want = []string{string(w.on)} // it did arrive, though nobody can know
		case w.by == "":
			want = nil
		}
		if !slices.Equal(by, want) {
			d.wrong = append(d.wrong, fmt.Sprintf("%s: it arrived by %v, promised is %v", w.id, by, want))
		}
	}
}

// idOfNotification is the id in a notification's text.
func idOfNotification(text string) string {
	var n struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		return "unreadable"
	}
	return n.ID
}
