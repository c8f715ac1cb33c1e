package replay

import (
	"net/http"
	"strconv"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/ledger"
)

// startMove starts SQS's own move task.
func (h *Handler) startMove(r *http.Request, q *Queue, rate int) (Task, error) {
	ctx := r.Context()
	moves, err := q.Moves.List(ctx)
	if err != nil {
		return Task{}, api.Unavailable("the move tasks can't be read", err)
	}
	for _, m := range moves {
		if m.Status == deadletter.Running || m.Status == deadletter.Cancelling {
			return Task{}, deadletter.ErrMoving
		}
	}
	started := h.Now()
	if err := h.announceMove(r, q, ledger.DLQReplay, started); err != nil {
		return Task{}, err
	}
	if err := q.Moves.Start(ctx, rate); err != nil {
		return Task{}, api.Unavailable("the move task can't be started", err)
	}
	// It runs: what can't be read of it now is read with the tasks later.
	if moves, err := q.Moves.List(ctx); err == nil && len(moves) > 0 {
		return taskOf(q, moves[0]), nil
	}
	return Task{Kind: KindAll, Queue: q.Name, Status: deadletter.Running, StartedAt: started.UTC(), Rate: rate}, nil
}

func (h *Handler) announceMove(r *http.Request, q *Queue, action string, now time.Time) error {
	id := q.Name + "@" + taskID(now)
	err := h.Audit.Append(r.Context(), id, []ledger.Entry{{
		Action: action, Actor: api.CallerOf(r).Name, ID: id, Resource: ledger.DeadLetters(q.Name), Timestamp: now,
	}})
	return api.Unavailable("nothing was done: the audit queue can't be written", err)
}

// tasks answers GET /api/v1/dlq/{queue}/tasks.
func (h *Handler) tasks(r *http.Request) (int, any, error) {
	q, err := h.queue(r.PathValue("queue"))
	if err != nil {
		return 0, nil, err
	}
	moves, err := q.Moves.List(r.Context())
	if err != nil {
		return 0, nil, api.Unavailable("the move tasks can't be read", err)
	}
	all := Tasks{Tasks: make([]Task, len(moves))}
	for i, m := range moves {
		all.Tasks[i] = taskOf(q, m)
	}
	return http.StatusOK, all, nil
}

// cancel answers DELETE /api/v1/dlq/{queue}/tasks/{task_id}.
func (h *Handler) cancel(r *http.Request) (int, any, error) {
	q, err := h.queue(r.PathValue("queue"))
	if err != nil {
		return 0, nil, err
	}
	moves, err := q.Moves.List(r.Context())
	if err != nil {
		return 0, nil, api.Unavailable("the move tasks can't be read", err)
	}
	id := r.PathValue("task_id")
	for _, m := range moves {
		if taskID(m.Started) != id {
			continue
		}
		if m.Status != deadletter.Running {
			return 0, nil, api.Conflict("task %s of %s is %s: only a running one can be cancelled", id, q.Name, m.Status)
		}
		if err := h.announceMove(r, q, ledger.DLQCancel, h.Now()); err != nil {
			return 0, nil, err
		}
		if err := q.Moves.Cancel(r.Context(), m.Handle); err != nil {
			return 0, nil, api.Unavailable("the move task can't be cancelled", err)
		}
		m.Status = deadletter.Cancelling
		return http.StatusAccepted, Started{taskOf(q, m)}, nil
	}
	return 0, nil, api.NotFound("there is no task %s among the latest of %s", id, q.Name)
}

func taskOf(q *Queue, m deadletter.Move) Task {
	return Task{
		Kind: KindAll, Queue: q.Name, ID: taskID(m.Started), Status: m.Status, StartedAt: m.Started,
		Moved: m.Moved, ToMove: m.ToMove, Rate: m.Rate, Destination: m.Destination, Reason: m.Reason,
	}
}

// taskID names a move task by its start. SQS's own handle is there only while
// it runs, and a queue has one task at a time.
func taskID(started time.Time) string { return strconv.FormatInt(started.UnixMilli(), 10) }
