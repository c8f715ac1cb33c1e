package recipient

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/message"
)

// What a recipient may have.
const (
	maxAddresses = 10 // emails; one of the other channels
	maxTopics    = 200
)

// Check says what of r can't be meant: a *message.FieldError, which names the first
// field that is wrong, and never quotes an address.
func (r *Recipient) Check() error {
	for _, check := range []func() (string, string){r.checkNames, r.checkAddresses, r.checkChannels, r.checkTopics} {
		if field, problem := check(); problem != "" {
			return &message.FieldError{Field: field, Problem: problem}
		}
	}
	return nil
}

func (r *Recipient) checkNames() (field, problem string) {
	if problem := channel.CheckTo(r.ID); problem != "" {
		return "id", problem
	}
	return "tenant", message.CheckTenant(r.Tenant)
}

func (r *Recipient) checkAddresses() (field, problem string) {
	const name = "addresses"
	for _, on := range slices.Sorted(maps.Keys(r.Addresses)) {
		all := r.Addresses[on]
		switch {
		case !slices.Contains(channel.Names, on):
			return name, notAChannel(on)
		case len(all) == 0:
			return name, string(on) + " must have an address, or null for none"
		case len(all) > 1 && on != channel.Email:
			return name, string(on) + " must have one address: only email may have several"
		case len(all) > maxAddresses:
			return name, fmt.Sprintf("%s must have at most %d addresses", on, maxAddresses)
		}
		for i, address := range all {
			if problem := channel.CheckRecipient(on, address); problem != "" {
				return name, string(on) + " " + problem
			}
			if slices.Contains(all[:i], address) {
				return name, string(on) + " has the same address twice"
			}
		}
	}
	return "", ""
}

func (r *Recipient) checkChannels() (field, problem string) {
	return "channels", checkList(r.Channels)
}

func (r *Recipient) checkTopics() (field, problem string) {
	const name = "topics"
	if n := len(r.Topics); n > maxTopics {
		return name, fmt.Sprintf("has %d patterns, and may have %d", n, maxTopics)
	}
	for _, pattern := range slices.Sorted(maps.Keys(r.Topics)) {
		quoted := strconv.Quote(message.Shorten(pattern, 64))
		if problem := message.CheckPattern(pattern); problem != "" {
			return name, quoted + " " + problem
		}
		if problem := checkList(r.Topics[pattern].Channels); problem != "" {
			return name, quoted + ": channels " + problem
		}
	}
	return "", ""
}

func checkList(all []channel.Name) string {
	for i, on := range all {
		switch {
		case !slices.Contains(channel.Names, on):
			return notAChannel(on)
		case slices.Contains(all[:i], on):
			return "names " + string(on) + " more than once"
		}
	}
	return ""
}

func notAChannel(on channel.Name) string {
	return strconv.Quote(message.Shorten(string(on), 64)) + " is not a channel: those are " + channel.OneOf("and")
}
