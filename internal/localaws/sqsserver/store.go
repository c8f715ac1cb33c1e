package sqsserver

import "context"

// Store keeps what must outlive the process. The engine holds all but the
// messages' contents in memory and writes every change here before it tells
// anybody of it.
//
// Its methods may be called concurrently. All times are Unix milliseconds.
type Store interface {
	// Load gives everything that is kept to into: queues and tasks first,
	// then the places of messages. It is called once, before all else.
	Load(ctx context.Context, into Loader) error

	// Apply makes all of the changes or none of them. They are durable when
	// it returns nil. After an error they may have been made all the same;
	// as every change states what is to be, not what differs, the engine
	// then repeats or undoes it.
	Apply(ctx context.Context, changes *Changes) error

	// Messages gives the messages with these keys. A key that is not kept is
	// left out of the answer.
	Messages(ctx context.Context, keys []int64) (map[int64]StoredMessage, error)
}

// Loader takes what Load finds.
type Loader interface {
	LoadNextKey(int64)
	LoadQueue(QueueRecord)
	LoadTask(TaskRecord)
	LoadPlace(PlaceRecord)
	LoadDedup(DedupRecord)
}

// Changes are made together. Puts create or replace; the others do nothing to
// a message that is not kept.
type Changes struct {
	PutQueues   []QueueRecord
	PutTasks    []TaskRecord
	PutMessages []StoredMessage
	PutDedups   []DedupRecord
	// SetStates is what receives and visibility changes write.
	SetStates []StateRecord
	// Moves carry messages, with all but their contents, to another queue.
	Moves []MessageRecord
	// Deletes are the keys of messages.
	Deletes []int64
	// DeleteQueues are the ids of queues. Their messages and deduplication
	// records go too.
	DeleteQueues []int64
	// Undo are the keys of sends that failed: their messages and their
	// deduplication records go.
	Undo []int64
	// ForgetDedups, unless its Queue is 0, drops that queue's deduplication
	// records up to and including its Key.
	ForgetDedups DedupRecord
	// NextKey, unless 0, is above every key and Seq handed out so far.
	NextKey int64
}

// QueueRecord is one queue. ID is its key in the other records, above 0. Name
// is unique: the queue's, after region:account: where these are not the engine's.
type QueueRecord struct {
	ID                int64
	Name              string
	Created, Modified int64
	Attributes, Tags  map[string]string
}

// StateRecord is the part of a message that receives change.
type StateRecord struct {
	Key int64
	// VisibleAt is when the message may be received.
	VisibleAt int64
	// Received counts the receives, FirstReceived and LastReceived are when
	// the first and the last one were.
	Received                    int32
	FirstReceived, LastReceived int64
	// Leased: held by this process, and by nobody once the process is gone.
	Leased bool
}

// MessageRecord is a message without its contents.
type MessageRecord struct {
	StateRecord
	Queue int64
	ID    [16]byte
	// Seq orders the messages of a queue.
	Seq  int64
	Sent int64
	// ReceivedBefore is how many of the receives were in other queues.
	ReceivedBefore int32
	// Group and Dedup are the message's group and deduplication ids, Source
	// is the ARN of the queue whose dead letter it is; each may be empty.
	Group, Dedup, Source string
}

// PlaceRecord is as much of a message as says where it waits.
type PlaceRecord struct {
	Key, Queue, Seq, Sent, VisibleAt int64
	Group                            string
	Leased                           bool
	// ReceivedHere: it was received from the queue that it is in.
	ReceivedHere bool
}

// Content is what a message carries.
type Content struct {
	Body string
	// Attributes are the encoded message attributes, nil when there are none.
	Attributes []byte
}

// StoredMessage is a message whole.
type StoredMessage struct {
	MessageRecord
	Content
}

// DedupRecord says that a deduplication id was used. Key is the message's
// key, Scope the group id where ids are unique per group, else empty.
type DedupRecord struct {
	Key, Queue int64
	Scope, ID  string
	MessageID  [16]byte
	Sent       int64
}

// TaskRecord is one message move task.
type TaskRecord struct {
	Handle              string
	Source, Destination string // ARNs; Destination may be empty
	Rate                int32  // messages per second, 0 for no limit
	Moved, ToMove       int64
	Status, Failure     string
	Started             int64
}
