package notify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/suppression"
)

// listed is what the suppression list says of a channel's addresses.
type listed struct {
	on channel.Name
	at time.Time
	// why says that none of those is left whom the message is for.
	why string
	// omitted is how many others were left out.
	omitted int
	err     error
}

// stillGood is how long an answer of the list is gone by: longer than a batch takes from
// asking to sending.
const stillGood = 5 * time.Second

// ask asks the suppression list about the message's addresses on a channel, together
// with others. Who is on it is left out of an email to several; why says that nobody is
// left. It is asked at each receive, and for each channel when it is its turn.
func (n *notice) ask(ctx context.Context, on channel.Name) (why string, err error) {
	if n.listed.on == on && n.listed.err == nil && n.Now().Sub(n.listed.at) < stillGood {
		return n.listed.why, nil
	}
	if n.listed.on != on {
		n.listed.omitted = 0
	}
	n.listed = listed{on: on, at: n.Now(), omitted: n.listed.omitted}
	var keys []suppression.Key
	for _, address := range n.message.Reached(on) {
		keys = append(keys, n.suppressionKey(on, address))
	}
	if len(keys) == 0 {
		return "", nil
	}
	found, err := n.suppressed.get(ctx, keys)
	if err != nil {
		n.listed.err = fmt.Errorf("the suppression list can't be asked: %w", err)
		return "", n.listed.err
	}
	n.listed.why = n.leaveOut(on, found)
	return n.listed.why, nil
}

func (n *notice) suppressionKey(on channel.Name, address string) suppression.Key {
	return suppression.KeyOf(n.message.Tenant, on, address)
}

// leaveOut takes from the message who is on the list. Copies alone go to nobody: whom a
// message is for is who it names as its recipients.
func (n *notice) leaveOut(on channel.Name, found map[suppression.Key]suppression.Entry) (why string) {
	without := func(all []string) []string {
		left := slices.DeleteFunc(slices.Clone(all), func(text string) bool {
			_, is := found[n.suppressionKey(on, channel.Bare(text))]
			return is
		})
		n.listed.omitted += len(all) - len(left)
		return left
	}
	all := n.message.EveryoneOn(on)
	left := without(all)
	switch {
	case len(all) > 0 && len(left) == 0:
		return n.nobody(found[n.suppressionKey(on, all[0])], len(all))
	case len(left) < len(all):
		addresses := map[channel.Name][]string{}
		maps.Copy(addresses, n.message.Addresses)
		addresses[on], n.message.Addresses = left, addresses
	}
	if on == channel.Email {
		n.message.CC, n.message.BCC = without(n.message.CC), without(n.message.BCC)
	}
	return ""
}

// nobody says why none of a message's recipients is sent to, by the first of them.
func (n *notice) nobody(e suppression.Entry, of int) string {
	text := fmt.Sprintf("the address is on the suppression list of %s since %s, %s", ofTenant(n.message.Tenant),
		e.Since.UTC().Format(time.RFC3339), e.Reason.Words())
	if of > 1 {
		text = strings.Replace(text, "the address is", fmt.Sprintf("all %d addresses are", of), 1)
	}
	return text
}

// withoutOmitted adds to a reason that some were left out.
func (n *notice) withoutOmitted() string {
	if n.listed.omitted == 0 {
		return ""
	}
	return fmt.Sprintf("without %d on the suppression list", n.listed.omitted)
}
