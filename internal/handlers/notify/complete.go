package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
)

const (
	// mostFiles is how many messages may have attachments from elsewhere in memory at
	// a time, of channel.MaxFiles bytes each.
	mostFiles = 3
	// lookUpTime is for reading the records of an earlier notification, fileTime for
	// one attachment.
	lookUpTime = 3 * time.Second
	fileTime   = 8 * time.Second
)

// complete is what is handed over on a channel, with what is kept elsewhere. done
// must be called when it is no longer needed. Where it can't be complete the outcome
// says why; an error may pass.
func (n *notice) complete(ctx context.Context, on channel.Name) (h channel.Handover, done func(), out channel.Outcome, err error) {
	h, done = n.message.Handover(n.ID, on), func() {}
	h.Last = n.isLast(on)
	if out, err = n.render(ctx, on, &h); err != nil || out.Class != "" {
		return h, done, out, err
	}
	if out, err = n.place(ctx, on, &h); err != nil || out.Class != "" {
		return h, done, out, err
	}
	if on != channel.Email || !slices.ContainsFunc(h.Attachments, elsewhere) {
		return h, done, out, nil
	}
	select {
	case n.files <- struct{}{}:
		done = func() { <-n.files }
	case <-ctx.Done():
		return h, done, out, errors.New("the invocation had no time left to read attachments")
	}
	h.Attachments, out, err = n.attach(ctx, h.Attachments)
	return h, done, out, err
}

// isLast reports whether nothing follows on a channel if the attempt at hand fails in a
// way that may pass.
func (n *notice) isLast(on channel.Name) bool {
	step := n.Next(n.policyOn(on), n.tried(on)+1, 0)
	return !step.Again || !n.worthIt(on, step.Delay)
}

func elsewhere(a channel.Attachment) bool { return a.S3 != "" }

// attach reads the attachments that are kept elsewhere.
func (n *notice) attach(ctx context.Context, all []channel.Attachment) ([]channel.Attachment, channel.Outcome, error) {
	if n.needs.Files == nil {
		return nil, channel.Failed(channel.Configuration, 0, "attachments: none may be read from S3 here: the stack names no bucket for them"),
			nil
	}
	all, left := slices.Clone(all), channel.MaxFiles
	for _, a := range all {
		left -= len(a.Content)
	}
	for i := range all {
		if !elsewhere(all[i]) {
			continue
		}
		ctx, stop := context.WithTimeout(ctx, fileTime)
		content, err := n.needs.Files.File(ctx, all[i].S3, max(left, 0))
		stop()
		switch {
		case errors.Is(err, channel.ErrNoFile):
			return nil, channel.Failed(channel.Permanent, 0, fmt.Sprintf("attachments: [%d] s3: %v", i, err)), nil
		case err != nil:
			return nil, channel.Outcome{}, fmt.Errorf("attachments: [%d] s3: %w", i, err)
		}
		all[i].Content, left = content, left-len(content)
	}
	return all, channel.Outcome{}, nil
}

// place finds what a channel's provider calls the earlier notification that the
// message belongs under or takes the place of. On other channels than the message's
// own it does without where there is none; and on that too, once there can't be one any
// more, where it was the recipient's choice.
func (n *notice) place(ctx context.Context, on channel.Name, h *channel.Handover) (channel.Outcome, error) {
	field, id, into := "thread", n.message.Thread, &h.Thread
	if n.message.Update != "" {
		field, id, into = "update", n.message.Update, &h.Replaces
	}
	switch {
	case id == "":
		return channel.Outcome{}, nil
	case on == channel.Webhook: // who gets it knows the ids themselves
		*into = id
		return channel.Outcome{}, nil
	}
	ctx, stop := context.WithTimeout(ctx, lookUpTime)
	defer stop()
	records, err := n.Attempts.OfWebhook(ctx, id)
	if err != nil {
		return channel.Outcome{}, fmt.Errorf("%s: the earlier notification can't be looked up: %w", field, err)
	}
	found, class, problem := n.earlier(on, records)
	if problem != "" && on == n.message.Channel && (class == channel.Transient || len(n.message.To) == 0) {
		return channel.Failed(class, 0, field+": "+problem), nil
	}
	*into = found
	return channel.Outcome{}, nil
}

// earlier finds in the records of an id what the provider calls the notification, as
// it went to the same tenant, on the same channel, to the same address; or says why
// there is none.
func (n *notice) earlier(on channel.Name, records []attempt.Record) (id string, class channel.Class, problem string) {
	pending, known, elsewhere, nameless := map[string]bool{}, false, false, false
	var at time.Time
	for _, r := range records {
		if !r.Notification || r.Tenant != n.message.Tenant || r.OriginID() == n.Origin {
			continue
		}
		known = true
		pending[r.OriginID()] = !r.Verdict.Final()
		switch {
		case r.Verdict != attempt.Delivered || r.Channel != string(on):
		case r.ProviderID == "":
			nameless = true
		case on != channel.Email && !n.sameAddress(on, r):
			elsewhere = true
		case !r.At.Before(at):
			id, at = r.ProviderID, r.At
		}
	}
	switch {
	case id != "":
		return id, "", ""
	case nameless:
		return "", channel.Permanent,
			"the notification it names was posted by an incoming webhook, which does not tell where; it takes a bot_token"
	case elsewhere:
		return "", channel.Permanent, "the notification it names went to another recipient"
	case !known:
		return "", channel.Transient, "there is no notification of that id and tenant yet"
	}
	for _, still := range pending {
		if still {
			return "", channel.Transient, "the notification it names has not been sent yet"
		}
	}
	return "", channel.Permanent, "the notification it names was not sent on " + string(on)
}

// sameAddress reports whether an earlier hand-over went where this one goes. Slack
// answers with the conversation's id, whatever it was named by.
func (n *notice) sameAddress(on channel.Name, r attempt.Record) bool {
	conversation, _, _ := strings.Cut(r.ProviderID, "/")
	return r.Recipient == n.addressed(on) || on == channel.Slack && conversation == n.message.Address(on)
}
