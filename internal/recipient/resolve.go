package recipient

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/message"
)

// Why nothing is sent to a recipient.
var (
	ErrOptedOut  = errors.New("has opted out of")
	ErrNoAddress = errors.New("has no address")
)

// Resolve is n as it goes to r: on the channels that r wants of its topic, at their
// addresses. What the message says itself is kept: its channel comes first, its fallback
// takes the place of the other channels, and its recipients that of addresses. Errors:
// ErrOptedOut, whatever the message says, and ErrNoAddress.
func (r *Recipient) Resolve(n channel.Notification) (channel.Notification, error) {
	pattern, wants := r.wants(n.Topic)
	if wants.OptedOut {
		return n, fmt.Errorf("the recipient %q %w %s", r.ID, ErrOptedOut, described(pattern, n.Topic))
	}
	n.Addresses = map[channel.Name][]string{}
	for on, all := range r.Addresses {
		n.Addresses[on] = all
	}
	for on, address := range n.Recipients {
		n.Addresses[on] = []string{address}
	}
	asked := r.chain(n, wants)
	usable := slices.DeleteFunc(slices.Clone(asked), func(on channel.Name) bool { return on.Addressed() && n.Address(on) == "" })
	if len(usable) == 0 {
		return n, fmt.Errorf("the recipient %q %w%s", r.ID, ErrNoAddress, named(asked))
	}
	n.Channel, n.Fallback = usable[0], usable[1:]
	return n, nil
}

// chain is every channel that a message is to be tried on, in order, each once.
func (r *Recipient) chain(n channel.Notification, wants Topic) []channel.Name {
	chain := wants.Channels
	if chain == nil {
		chain = r.Channels
	}
	if chain == nil {
		chain = slices.DeleteFunc(slices.Clone(channel.Names), func(on channel.Name) bool { return n.Address(on) == "" })
	}
	if n.Channel != "" {
		chain = append([]channel.Name{n.Channel}, chain...)
	}
	if n.Fallback != nil && len(chain) > 0 {
		chain = append([]channel.Name{chain[0]}, n.Fallback...)
	}
	var once []channel.Name
	for _, on := range chain {
		if !slices.Contains(once, on) {
			once = append(once, on)
		}
	}
	return once
}

// wants is what r wants of a topic, by the closest pattern that has it: the topic itself,
// or else the longest.
func (r *Recipient) wants(topic string) (closest string, wants Topic) {
	for pattern, t := range r.Topics {
		if message.Covers(pattern, topic) && (closest == "" || length(pattern) > length(closest)) {
			closest, wants = pattern, t
		}
	}
	return closest, wants
}

// length is how much of a topic a pattern says.
func length(pattern string) int { return len(strings.TrimSuffix(pattern, "*")) }

func described(pattern, topic string) string {
	switch topic {
	case "":
		return fmt.Sprintf("everything (%q)", pattern)
	case pattern:
		return fmt.Sprintf("the topic %q", topic)
	}
	return fmt.Sprintf("the topic %q (%q)", topic, pattern)
}

func named(all []channel.Name) string {
	if len(all) == 0 {
		return " on any channel"
	}
	texts := make([]string, len(all))
	for i, on := range all {
		texts[i] = string(on)
	}
	return " for " + strings.Join(texts, ", ")
}
