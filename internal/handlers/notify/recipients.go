package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/recipient"
)

// people are the recipients that messages of a batch name, by tenant and id.
type people = together[recipient.Key, recipient.Recipient]

func (n *Needs) people() *people {
	return newTogether(func(ctx context.Context, keys []recipient.Key) (map[recipient.Key]recipient.Recipient, error) {
		all, err := n.Recipients.Recipients(ctx, keys)
		if err != nil {
			return nil, err
		}
		found := make(map[recipient.Key]recipient.Recipient, len(all))
		for _, r := range all {
			found[r.Key()] = r
		}
		return found, nil
	})
}

// lookUp asks for whom the message names, if it goes to one: together with others of the
// batch.
func (n *notice) lookUp() {
	if len(n.message.To) != 1 {
		n.people.ask()
		return
	}
	n.people.ask(n.to())
}

func (n *notice) to() recipient.Key {
	return recipient.Key{Tenant: n.message.Tenant, ID: n.message.To[0]}
}

// resolve finds the channels and addresses of whom the message names, as they are now,
// and reports whether it is to be sent there. Which channels are done with its history
// says.
func (n *notice) resolve(ctx context.Context) bool {
	if len(n.message.To) == 0 {
		return true
	}
	r, ok, err := n.people.get(ctx, n.to())
	switch {
	case err != nil:
		n.Trouble("its recipient can't be looked up: " + err.Error())
		return false
	case !ok:
		n.unreachable(channel.Permanent, fmt.Sprintf("%s has no recipient %q", ofTenant(n.message.Tenant), n.message.To[0]))
		return false
	}
	resolved, err := r.Resolve(n.message)
	switch {
	case errors.Is(err, recipient.ErrOptedOut):
		n.unreachable(channel.OptedOut, err.Error())
	case err != nil:
		n.unreachable(channel.Configuration, err.Error())
	default:
		n.message = resolved
		if n.current() == "" {
			n.unreachable(channel.Permanent, fmt.Sprintf("the recipient %q has no other channel than those that have failed", r.ID))
		}
	}
	return n.State == batch.Ready
}

// unreachable says that the message can't be sent to whom it names.
func (n *notice) unreachable(class channel.Class, why string) {
	n.State, n.why, n.whyClass = batch.Refused, why, class
}

func ofTenant(name string) string {
	if name == "" {
		return "the empty tenant"
	}
	return fmt.Sprintf("the tenant %q", name)
}
