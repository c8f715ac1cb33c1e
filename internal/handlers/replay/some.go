package replay

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"

	"github.com/aws/aws-lambda-go/events"
	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/message"
)

// replaySome answers POST /api/v1/dlq/{queue}/replay.
func (h *Handler) replaySome(r *http.Request) (int, any, error) {
	q, err := h.queue(r.PathValue("queue"))
	if err != nil {
		return 0, nil, err
	}
	s, err := readSome(r)
	if err != nil {
		return 0, nil, err
	}
	var task Task
	if s.everything() {
		if s.Cursor != "" {
			return 0, nil, api.BadRequest("field \"cursor\": is for replaying by a filter only")
		}
		task, err = h.startMove(r, q, s.Rate)
	} else {
		task, err = h.replayMatching(r, q, s)
	}
	return http.StatusAccepted, Started{task}, err
}

// replayMatching walks through the queue and replays what the filter takes, for
// as long as one request may. Its order of work lets it be cut anywhere: what
// it has not come to stays as it is.
func (h *Handler) replayMatching(r *http.Request, q *Queue, s Some) (Task, error) {
	from, err := readPassCursor(s.Cursor, h.Now())
	if err != nil {
		return Task{}, err
	}
	p, err := h.begin(r, q, from)
	if err != nil {
		return Task{}, err
	}
	m := &matching{acting: h.acting(r, q, deadletter.Replay), filter: s.Filter, from: from, ctx: p.work}
	p.look = m.look
	e, err := p.run(false)
	task := Task{Kind: KindFilter, Queue: q.Name, Status: deadletter.Completed, StartedAt: from.Started,
		Moved: int64(m.moved), Failed: m.failed, Reason: m.reason, Examined: p.examined}
	if task.Cursor = p.close(e); task.Cursor != "" {
		task.Status = deadletter.Running
	}
	if e == othersHold && task.Reason == "" {
		task.Reason = "somebody else holds messages of this queue; they were not looked at"
	}
	if err != nil && m.moved > 0 {
		h.Log.ErrorContext(p.work, "a replay by filter broke off", "queue", q.Name, "replayed", m.moved, "error", err)
		task.Status, task.Reason, err = deadletter.Failed, api.PublicDetail(err)+"; what is left was not replayed", nil
	}
	return task, err
}

// matching replays what a filter takes.
type matching struct {
	*acting
	filter Filter
	from   passCursor
	ctx    context.Context

	mu            sync.Mutex
	moved, failed int
	reason        string
}

// look replays those of the messages that the filter takes, and returns the
// others. What it replayed itself, and failed again, comes back as a message that
// was sent since the pass began: once is enough.
func (m *matching) look(messages []events.SQSMessage) (hold []events.SQSMessage, err error) {
	var letters []*letter
	for _, msg := range messages {
		l := m.queue.open(msg)
		if m.filter.contents(l.item) && message.SentAt(msg.Attributes).Before(m.from.Started) {
			letters = append(letters, l)
		} else {
			hold = append(hold, msg)
		}
	}
	again := make([]bool, len(letters))
	g, ctx := errgroup.WithContext(m.ctx)
	for i, l := range letters {
		g.Go(func() (err error) {
			if err = m.recall(ctx, l); err == nil {
				again[i], err = m.replayedHere(ctx, l)
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return messages, err
	}
	var taken []*letter
	for i, l := range letters {
		if !again[i] && m.filter.failure(l.item) {
			taken = append(taken, l)
		} else {
			hold = append(hold, l.msg)
		}
	}
	m.do(m.ctx, taken)
	return m.count(taken, hold)
}

// replayedHere reports whether a letter was replayed since the pass began: by our
// clock, for SQS's may be behind.
func (m *matching) replayedHere(ctx context.Context, l *letter) (bool, error) {
	if !l.sentAnew() {
		return false, nil
	}
	var former []string // the messages that it was
	for _, r := range l.history {
		if r.MessageID != l.msg.MessageId && !slices.Contains(former, r.MessageID) {
			former = append(former, r.MessageID)
		}
	}
	claims, err := m.Claims.ClaimsOn(ctx, m.queue.Name, former[max(0, len(former)-100):])
	if err != nil {
		return false, api.Unavailable("the claims can't be read", err)
	}
	return slices.ContainsFunc(claims, func(c claim.Claim) bool { return c.Settled && !c.At.Before(m.from.Started) }), nil
}

// count adds up what became of the letters. One that another acts on, or has
// acted on, is none of ours; when nothing at all can be done the pass ends.
func (m *matching) count(taken []*letter, hold []events.SQSMessage) ([]events.SQSMessage, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var broken error
	for _, l := range taken {
		switch {
		case l.err == nil:
			m.moved++
			continue
		case errors.As(l.err, new(*api.Refusal)):
		case api.PublicDetail(l.err) != "" && !errors.Is(l.err, deadletter.ErrTooLarge):
			broken = l.err
			m.failed++
		default:
			m.failed++
			m.reason = "a message is too large to carry its webhook-id and policy along"
		}
		if l.stays() {
			hold = append(hold, l.msg)
		}
	}
	return hold, broken
}
