package channel

import (
	"errors"
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	// maxReceivers is the most recipients of one message: an email's are To, cc and
	// bcc together (SES: 50, "Service quotas in Amazon SES").
	maxReceivers = 50
	badReceivers = "must be an address (a string), or an array of 1 to 50 of them, each once"
	tooMany      = "makes more than 50 recipients, with cc and bcc"
)

// receivers are a notification's recipient, or several.
type receivers Notification

func (r *receivers) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	r.Recipient, r.More = "", nil
	if d.PeekKind() == jsontext.KindString {
		return json.UnmarshalDecode(d, &r.Recipient)
	}
	all, err := texts(d)
	if err != nil || len(all) == 0 || len(all) > maxReceivers {
		return errors.Join(err, errors.New("their number"))
	}
	r.Recipient, r.More = all[0], all[1:]
	return nil
}

// texts reads an array of strings, each once; null is none.
func texts(d *jsontext.Decoder) (all []string, err error) {
	var read []*string
	if err := json.UnmarshalDecode(d, &read); err != nil {
		return nil, err
	}
	for _, s := range read {
		if s == nil || slices.Contains(all, *s) {
			return nil, errors.New("null, or one twice")
		}
		all = append(all, *s)
	}
	return all, nil
}

func checkReceivers(n *Notification) string {
	if slices.Contains(n.Everyone(), "") {
		return "must not be empty"
	}
	return ""
}

// checkReach looks at who gets the message.
func (p *parsing) checkReach(n *Notification) {
	if len(n.More) > 0 {
		_, own := n.Recipients[n.Channel]
		switch {
		case own:
			p.Fail("recipients", "has an address on the message's own channel, beside several of recipient")
		case !n.Each && n.Channel != Email:
			p.Fail("recipient", "may be several of one message by email only: say \"each\": true for one each")
		}
	}
	if !n.Each && 1+len(n.More)+len(n.CC)+len(n.BCC) > maxReceivers {
		p.Fail("recipient", tooMany)
	}
	if n.Each && 1+len(n.CC)+len(n.BCC) > maxReceivers {
		p.Fail("cc", tooMany)
	}
}

// The channels that know of an earlier message, or can change one.
var (
	threads = []Name{Email, Slack, Webhook}
	updates = []Name{Slack, Discord, Webhook}
)

// checkEarlier looks at what names an earlier notification.
func (p *parsing) checkEarlier(n *Notification) {
	switch {
	case n.Thread != "" && n.Update != "":
		p.Fail("update", "can't stand beside thread: what is updated stays where it is")
	case n.Thread != "" && n.Channel != "" && !slices.Contains(threads, n.Channel):
		p.Fail("thread", "can't be used on the message's own channel: "+string(n.Channel)+" has no threads here")
	case n.Update != "" && n.Channel != "" && !slices.Contains(updates, n.Channel):
		p.Fail("update", "can't be used on the message's own channel: on "+string(n.Channel)+" what is sent can't be changed")
	case n.ID != "" && n.Thread == n.ID:
		p.Fail("thread", "is the message's own id")
	case n.ID != "" && n.Update == n.ID:
		p.Fail("update", "is the message's own id")
	}
}
