// Package waiting is the waiting room: where a message is while it waits for
// longer than SQS should hide it. It says what waits, where it is kept, and how
// it gets out again. It has no clock and no store of its own.
package waiting

import (
	"hash/fnv"
	"strconv"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/message"
)

// State is how far an item has come.
type State string

// The states. An item that does not wait any more stays for Retention, without
// its message, so that a late receive of what it was made of finds it.
const (
	Waiting State = "waiting"
	Sent    State = "sent"    // it went back to its queue
	Dropped State = "dropped" // somebody decided that it is not to be sent
	// Kept: it never was in the room, nor will be: its message was received again
	// when it was due, and goes on from there.
	Kept State = "kept"
)

// Reason is why something waits.
type Reason string

// The reasons. Each has a limit of its own for all that a message waits for it.
const (
	Delay   Reason = "delay"       // the policy's next try, by its schedule
	Asked   Reason = "retry-after" // the endpoint's Retry-After
	Trouble Reason = "trouble"     // our own: a store, a secret, a descriptor
	Limit   Reason = "limit"       // the provider, or the endpoint by its rate, takes no more just now
	Circuit Reason = "circuit"     // the endpoint's circuit is open
	Paused  Reason = "paused"      // the registered endpoint is paused or disabled
)

// Retention is how long an item stays after it was settled, and an item that
// waits after it was due.
const Retention = 14 * 24 * time.Hour

// Item is one message in the room. Of one receive of an SQS message there is
// one item at most: MessageID and Attempt are its key.
type Item struct {
	// Queue is where it came from and goes back to, without the stack's prefix.
	Queue string `json:"queue"`
	// MessageID is the SQS id that it came under, Attempt the number of the last
	// attempt recorded under that id.
	MessageID string `json:"message_id"`
	Attempt   int    `json:"attempt"`
	// Due is when it is to be received again. Of one that waits for a circuit it is
	// when it was first received: those go out by age.
	Due time.Time `json:"due"`
	// Circuit is the key of the open circuit that it waits for; empty where it waits
	// for a time.
	Circuit string `json:"circuit,omitzero"`
	State   State  `json:"state"`

	// What is sent: the message as it came, and what it carries from now on.
	Body       string                       `json:"body,omitzero"`
	Group      string                       `json:"group,omitzero"`
	Attributes map[string]message.Attribute `json:"attributes,omitzero"`
	Carried    message.Carried              `json:"carried,omitzero"`

	// What a listing shows. URL has no query, and is empty for a notification;
	// Why says in words what Reason does not. Since is when it came in.
	WebhookID string    `json:"webhook_id"`
	Tenant    string    `json:"tenant,omitzero"`
	URL       string    `json:"url,omitzero"`
	Channel   string    `json:"channel,omitzero"`
	Reason    Reason    `json:"reason"`
	Why       string    `json:"why,omitzero"`
	Since     time.Time `json:"since"`
}

// ID names an item: "<message id>-<attempt>".
func (i *Item) ID() string { return i.MessageID + "-" + strconv.Itoa(i.Attempt) }

// Position orders the items of a place by when they are due.
func (i *Item) Position() string { return i.Due.UTC().Format(positionTime) + "#" + i.ID() }

// positionTime has a fixed width, so that it sorts as text.
const positionTime = "2006-01-02T15:04:05.000000000Z"

// HeldFor is what the time counts as that an item has waited for a circuit.
func (i *Item) HeldFor() Reason {
	if i.Reason == Paused {
		return Paused
	}
	return Circuit
}

// Settled is what stays of an item: its key, and what became of it.
func (i *Item) Settled(as State) Item {
	return Item{
		Queue: i.Queue, MessageID: i.MessageID, Attempt: i.Attempt, Due: i.Due, Circuit: i.Circuit, State: as,
		WebhookID: i.WebhookID, Tenant: i.Tenant, Reason: i.Reason, Since: i.Since,
	}
}

// Stays is until when an item that waits stays at most: for Retention after it was
// due; or after it came in to wait for a circuit, and for a day more, in which it is
// sent for its end.
func (i *Item) Stays() time.Time {
	if i.Circuit != "" {
		return i.Since.Add(Retention + 24*time.Hour)
	}
	return i.Due.Add(Retention)
}

// Fits reports whether the item can be sent to SQS: a message has at most 1 MiB
// with its attributes, of which there are at most ten ("Amazon SQS message
// quotas"). The attributes for which there is no room beside what the message
// carries are left out when it is sent.
func (i *Item) Fits() bool {
	size, sent := len(i.Body), *i
	sent.Carried.Released = longestTime
	if i.Circuit != "" { // what it is held for is counted when it goes
		sent.Carried.Held = sent.Carried.Held.With(string(i.HeldFor()), Retention)
	}
	for name, a := range sent.Sendable() {
		size += a.Size(name)
	}
	return size <= message.MaxSize
}

// longestTime stands for when the item will be sent: no text of a time is longer.
var longestTime = time.Date(2000, 1, 1, 0, 0, 0, 999_999_999, time.UTC)

// Sendable are the attributes that the item is sent with: what it carries, and
// of its own those for which there is room.
func (i *Item) Sendable() map[string]message.Attribute {
	all := map[string]message.Attribute{}
	for name, text := range i.Carried.Attributes() {
		all[name] = message.Text(text)
	}
	for _, name := range message.SortedNames(i.Attributes) {
		if !message.IsCarried(name) && len(all) < message.MaxAttributes {
			all[name] = i.Attributes[name]
		}
	}
	return all
}

// Place is where items are kept together: those that are due in one minute, or
// that wait for one circuit, in one of its shards.
type Place string

// Shards is over how many places the items of a minute or of a circuit are spread:
// one partition of DynamoDB takes 1,000 writes a second.
const Shards = 4

// DuePlace is a shard of the minute that t is in.
func DuePlace(t time.Time, shard int) Place {
	return Place(t.UTC().Format("2006-01-02T15:04Z") + "#" + strconv.Itoa(shard))
}

// Minute is that of a place of what is due in one, zero of other places.
func (p Place) Minute() time.Time {
	minute, _, _ := strings.Cut(string(p), "#")
	t, _ := time.Parse("2006-01-02T15:04Z", minute) // zero where it is no minute
	return t
}

// CircuitPlace is a shard of a circuit.
func CircuitPlace(key string, shard int) Place { return Place(key + "#" + strconv.Itoa(shard)) }

// Place is where an item is kept. It follows from its key, Circuit and Due alone,
// so that who repeats a move finds what is there.
func (i *Item) Place() Place {
	h := fnv.New32a()
	h.Write([]byte(i.MessageID))
	shard := int(h.Sum32() % Shards)
	if i.Circuit != "" {
		return CircuitPlace(i.Circuit, shard)
	}
	return DuePlace(i.Due, shard)
}
