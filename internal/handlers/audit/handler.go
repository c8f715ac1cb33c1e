package audit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
	"github.com/efferent/efferent/internal/need"
)

// Needs is what the handler works with.
type Needs struct {
	Heads   Heads
	Staging Staging
	Objects Objects
	Queue   Queue
	// Metrics counts what is appended.
	Metrics metric.Recorder `need:"optional"`
	Log     *slog.Logger
}

// Handler appends batches. It may be used by many goroutines at once.
type Handler struct{ Needs }

// New returns a Handler. Its error names each need that is missing.
func New(n Needs) (*Handler, error) {
	if err := need.All(n); err != nil {
		return nil, fmt.Errorf("the handler of audit messages: %w", err)
	}
	return &Handler{n}, nil
}

// margin is what an invocation keeps of its time.
const margin = 2 * time.Second

// held is how long a message waits that could not be appended, by its receive
// count: a day from any of its first four receives, within SQS's 12 hours.
var held = []time.Duration{time.Minute, 15 * time.Minute, time.Hour, 4 * time.Hour, 11 * time.Hour, 11 * time.Hour}

// item is a message of the batch, and what is done with it.
type item struct {
	*events.SQSMessage
	sequence string
	entries  [][]byte
	// malformed messages are drained: they reach the dead-letter queue by the
	// queue's own redrive policy, and hold up nobody.
	malformed bool
	failed    bool
}

// Handle appends a batch and says which messages are not done with
// (batchItemFailures, never nil). It never returns an error: that would bring
// back the appended ones too.
func (h *Handler) Handle(ctx context.Context, event events.SQSEvent) (events.SQSEventResponse, error) {
	var order []string
	groups := map[string][]*item{}
	var all []*item
	for i := range event.Records {
		m := h.read(ctx, &event.Records[i])
		lane := m.Attributes["MessageGroupId"]
		if groups[lane] == nil {
			order = append(order, lane)
		}
		groups[lane] = append(groups[lane], m)
		all = append(all, m)
	}
	h.lanes(ctx, order, groups)

	response := events.SQSEventResponse{BatchItemFailures: []events.SQSBatchItemFailure{}}
	var hides []message.Hide
	for _, m := range all {
		if m.failed || m.malformed {
			hides = append(hides, hide(m))
			response.BatchItemFailures = append(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: m.MessageId})
		}
	}
	if len(hides) > 0 {
		if err := h.Queue.ChangeVisibility(ctx, hides); err != nil {
			h.Log.WarnContext(ctx, "the visibility was not changed; messages come back when their timeout ends", "messages", len(hides),
				"error", err)
		}
	}
	return response, nil
}

// lanes appends the messages of each group; what is not done margin before the
// deadline is left, with time to say when its messages come back.
func (h *Handler) lanes(ctx context.Context, order []string, groups map[string][]*item) {
	if deadline, ok := ctx.Deadline(); ok {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadline(ctx, deadline.Add(-margin))
		defer stop()
	}
	created, err := h.Queue.Created(ctx)
	var lanes sync.WaitGroup
	for _, lane := range order {
		lanes.Go(func() { h.lane(ctx, lane, groups[lane], created, err) })
	}
	lanes.Wait()
}

// read reads one message. One of another version is not malformed, but fails:
// it holds up its lane until somebody knows it.
func (h *Handler) read(ctx context.Context, from *events.SQSMessage) *item {
	m := &item{SQSMessage: from, sequence: from.Attributes["SequenceNumber"]}
	lane := from.Attributes["MessageGroupId"]
	var err error
	switch {
	case !ledger.IsLane(lane) || m.sequence == "":
		err = fmt.Errorf("%w: it has the message group %.40q and the SequenceNumber %.40q", ledger.ErrMalformed, lane, m.sequence)
	default:
		m.entries, err = ledger.ParseMessage([]byte(from.Body))
	}
	if err != nil {
		m.malformed = errors.Is(err, ledger.ErrMalformed)
		m.failed = !m.malformed
		h.Log.ErrorContext(ctx, "an audit message can't be appended; it goes to the dead-letter queue",
			"message_id", from.MessageId, "lane", lane,
			"error", err)
	}
	return m
}

// lane appends the messages of one group, up to the first that fails: later
// ones of the group may not overtake it.
func (h *Handler) lane(ctx context.Context, lane string, messages []*item, created int64, err error) {
	messages = slices.DeleteFunc(slices.Clone(messages), func(m *item) bool { return m.malformed })
	for i, m := range messages {
		if m.failed {
			failAll(messages[i:])
			messages = messages[:i]
			break
		}
	}
	if len(messages) == 0 {
		return
	}
	var head ledger.Head
	if err == nil {
		head, err = h.append(ctx, lane, messages, created)
	}
	if err != nil {
		failAll(messages)
		h.Log.ErrorContext(ctx, "entries were not appended; they come back", "lane", lane, "messages", len(messages), "error", err)
		return
	}
	if err := h.publish(ctx, lane, head); err != nil {
		h.Log.ErrorContext(ctx, "tiles were not published; the next run does it", "lane", lane, "error", err)
	}
}

func failAll(messages []*item) {
	for _, m := range messages {
		m.failed = true
	}
}

// hide says when a message comes back that is not done with.
func hide(m *item) message.Hide {
	if m.malformed {
		return message.Hide{ReceiptHandle: m.ReceiptHandle}
	}
	receives, _ := strconv.Atoi(m.Attributes["ApproximateReceiveCount"])
	return message.Hide{ReceiptHandle: m.ReceiptHandle, For: held[min(max(receives, 1), len(held))-1]}
}
