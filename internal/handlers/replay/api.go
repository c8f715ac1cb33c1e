package replay

import (
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/attempt"
)

// Item is a message in a dead-letter queue.
type Item struct {
	// ItemID is its SQS message id there.
	ItemID    string `json:"item_id"`
	WebhookID string `json:"webhook_id"`
	EventType string `json:"event_type"`
	URL       string `json:"url"`
	Tenant    string `json:"tenant,omitzero"`
	// Endpoint is the id of the registered endpoint that it is for: then URL is the one
	// that was called last.
	Endpoint string `json:"endpoint,omitzero"`
	// Channel is the one that a notification names; webhooks have none. A
	// notification's event type and URL are empty.
	Channel string `json:"channel,omitzero"`
	// Reason says why its last attempt failed, LastStatus with which HTTP
	// status; 0 where no answer came.
	Reason     string `json:"reason"`
	LastStatus int    `json:"last_status"`
	// Attempts is how many were made of it, before replays too, FirstAt and LastAt
	// when the first and the last of them were. Of other messages under the same
	// webhook id they say nothing.
	Attempts int       `json:"attempts"`
	FirstAt  time.Time `json:"first_at,omitzero"`
	LastAt   time.Time `json:"last_at,omitzero"`
}

// Items is the answer to GET /api/v1/dlq.
type Items struct {
	Items []Item `json:"items"`
	// ApproximateTotal is how many messages SQS says the queue holds.
	ApproximateTotal int `json:"approximate_total"`
	// Cursor asks for what follows; empty at the end.
	Cursor string `json:"cursor,omitzero"`
}

// Letter is the answer to GET /api/v1/dlq/{queue}/{item_id}.
type Letter struct {
	Item     Item             `json:"item"`
	Attempts []attempt.Record `json:"attempts"`
	// Body is the message's body as it stands in the queue.
	Body string `json:"body"`
}

// The kinds of a Task.
const (
	KindItem   = "item"
	KindFilter = "filter"
	KindAll    = "all"
)

// Task is a replay: of one item, of those that a filter takes, or of all by
// SQS's own move task. It is also an act on what waits, of the kind item or
// filter, without a Queue where it is about more than one; what it says of
// messages that were sent again is then about those that were released or
// dropped.
type Task struct {
	Kind  string `json:"kind"`
	Queue string `json:"queue"`
	// ID is what cancels a task of the kind all.
	ID string `json:"id,omitzero"`
	// Status is one of deadletter's. A task of the kind item or filter that is
	// RUNNING goes on only when it is asked for again, with Cursor.
	Status    string    `json:"status"`
	Cursor    string    `json:"cursor,omitzero"`
	StartedAt time.Time `json:"started_at,omitzero"`
	// Moved is how many messages were sent again, by this request where the
	// kind is item or filter. ToMove, of a move task, is how many there were.
	Moved  int64 `json:"moved"`
	ToMove int64 `json:"to_move,omitzero"`
	// Examined is how many messages this request looked at, Failed how many it
	// should have sent again and could not; they stay in the queue.
	Examined int `json:"examined,omitzero"`
	Failed   int `json:"failed,omitzero"`
	// Rate is the most messages a second of a move task, Destination the ARN
	// that it moves them to if not to where they came from.
	Rate        int    `json:"rate,omitzero"`
	Destination string `json:"destination,omitzero"`
	// Reason says what failed.
	Reason string `json:"reason,omitzero"`
	// ItemID, WebhookID and MessageID, the new message's, are of one item.
	ItemID    string `json:"item_id,omitzero"`
	WebhookID string `json:"webhook_id,omitzero"`
	MessageID string `json:"message_id,omitzero"`
}

// Started is the answer to the POST and DELETE requests that concern a task.
type Started struct {
	Task Task `json:"task"`
}

// Tasks is the answer to GET /api/v1/dlq/{queue}/tasks, newest first.
type Tasks struct {
	Tasks []Task `json:"tasks"`
}

// Some is the body of POST /api/v1/dlq/{queue}/replay. With no field but Rate
// it means all, by SQS's move task; with others, those messages that all of
// them are true of.
type Some struct {
	Filter
	// Rate is the most messages a second of a move task, 1 to 500.
	Rate int `json:"rate,omitzero"`
	// Cursor is what the previous request of the same replay answered.
	Cursor string `json:"cursor,omitzero"`
}

// Filter chooses messages. In a query the fields have the same names.
type Filter struct {
	Tenant    string `json:"tenant,omitzero"`
	Endpoint  string `json:"endpoint,omitzero"`
	EventType string `json:"event_type,omitzero"`
	Channel   string `json:"channel,omitzero"`
	// URLPrefix is what the URL begins with, Reason a part of the reason, in
	// any case.
	URLPrefix string `json:"url_prefix,omitzero"`
	Reason    string `json:"reason,omitzero"`
	// Since and Until bound the last attempt's time; Until is not within.
	Since time.Time `json:"since,omitzero"`
	Until time.Time `json:"until,omitzero"`
}

// Checkpoints is the answer to GET /api/v1/audit/checkpoints: of each lane of the
// ledger that was signed, the newest.
type Checkpoints struct {
	Items []Checkpoint `json:"items"`
}

// Checkpoint is what was signed of a lane.
type Checkpoint struct {
	Lane string `json:"lane"`
	// Note is the signed checkpoint (c2sp.org/tlog-checkpoint), to be verified by
	// who holds the key.
	Note string `json:"note"`
}

// Proofs is the answer to GET /api/v1/audit/proofs/{webhook_id}: what the ledger
// holds under a webhook-id, by time.
type Proofs struct {
	WebhookID string  `json:"webhook_id"`
	Items     []Proof `json:"items"`
	// Waiting are the attempts, "<message id>#<attempt>", that are recorded and
	// whose outcome is not in the ledger: it is on its way, or was lost.
	Waiting []string `json:"waiting"`
}

// Proof is an entry of the ledger, and what shows that it is there.
type Proof struct {
	Lane  string         `json:"lane"`
	Index int64          `json:"index"`
	Entry jsontext.Value `json:"entry"`
	// Proof is a tlog-proof (c2sp.org/tlog-proof) with the entry in it, Size how
	// many entries its checkpoint is of. An entry that is not signed yet has none.
	Proof string `json:"proof,omitzero"`
	Size  int64  `json:"size,omitzero"`
}
