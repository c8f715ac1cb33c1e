package replay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/ledger"
)

// mostProofs is how many entries one answer can hold: Lambda's has 6 MB
// ("Lambda quotas"), and an entry with its proof some 2 KB.
const mostProofs = 1500

// checkpoints answers GET /api/v1/audit/checkpoints.
func (h *Handler) checkpoints(r *http.Request) (int, any, error) {
	if err := h.reads(r, "checkpoints"); err != nil {
		return 0, nil, err
	}
	all := Checkpoints{Items: []Checkpoint{}}
	for n := range h.Lanes {
		lane := ledger.LaneName(n)
		signed, err := h.Book.Newest(r.Context(), lane)
		if err != nil {
			return 0, nil, api.Unavailable("the checkpoints can't be read", err)
		}
		if signed != nil {
			all.Items = append(all.Items, Checkpoint{lane, string(signed)})
		}
	}
	return http.StatusOK, all, nil
}

// reads records that the ledger is about to be read, without which it is not,
// and has it signed first where that can be done.
func (h *Handler) reads(r *http.Request, what string) error {
	if h.Book == nil {
		return api.Refuse(http.StatusNotImplemented, "this worker does not know where the ledger is: LEDGER_TABLE, LEDGER_BUCKET and "+
			"CHECKPOINTS_BUCKET tell it")
	}
	id := uuid.NewString()
	err := h.Audit.Append(r.Context(), id, []ledger.Entry{{
		Action: ledger.LedgerRead, Actor: api.CallerOf(r).Name, ID: id, Resource: "ledger=" + what, Timestamp: h.Now(),
	}})
	if err != nil {
		return api.Unavailable("the ledger is not shown: the audit queue can't be written", err)
	}
	if h.Sign != nil {
		if err := h.Sign(r.Context()); err != nil {
			return api.Unavailable("the ledger can't be signed", err)
		}
	}
	return nil
}

// proofs answers GET /api/v1/audit/proofs/{webhook_id}. The ledger has no index:
// the records say when something was done, and each lane is looked through
// around those times.
func (h *Handler) proofs(r *http.Request) (int, any, error) {
	id := r.PathValue("webhook_id")
	records, err := h.History.OfWebhook(r.Context(), id)
	if err != nil {
		return 0, nil, api.Unavailable("the attempts can't be read", err)
	}
	if len(records) == 0 {
		return 0, nil, api.NotFound("no attempt is recorded for the webhook id %q, and so nothing says when to look for it in the ledger; "+
			"it was not tried yet, or its records are older than %d days: audit prove --since finds it in the ledger itself",
			id, attempt.Retention/(24*time.Hour))
	}
	times, err := h.acted(r.Context(), records)
	if err != nil {
		return 0, nil, api.Unavailable("the claims can't be read", err)
	}
	if err := h.reads(r, "proofs, webhook_id="+id); err != nil {
		return 0, nil, err
	}
	found, err := h.evidence(r.Context(), id, ledger.Spans(times))
	switch {
	case errors.Is(err, ledger.ErrChanged) || errors.Is(err, ledger.ErrGap):
		h.Log.ErrorContext(r.Context(), "the ledger is not what was signed", "error", err)
		return 0, nil, api.Refuse(http.StatusInternalServerError, "the ledger is not what was signed; audit verify says where")
	case err != nil:
		return 0, nil, api.Unavailable("the ledger can't be read", err)
	case len(found) > mostProofs:
		return 0, nil, api.Refuse(http.StatusUnprocessableEntity, "%d entries are more than an answer holds; "+
			"audit prove with the ledger's own places has no such limit", len(found))
	}
	return http.StatusOK, Proofs{id, proofsOf(found), untold(records, found)}, nil
}

// acted are the times at which something was done under an id: its attempts,
// and the acts on its dead letters.
func (h *Handler) acted(ctx context.Context, records []attempt.Record) (times []time.Time, err error) {
	dead := map[string][]string{}
	for _, r := range records {
		times = append(times, r.At, r.Ended())
		if queue := deadletter.QueueOf(r); queue != "" {
			dead[queue] = append(dead[queue], r.MessageID)
		}
	}
	for queue, items := range dead {
		for some := range slices.Chunk(items, 100) {
			claims, err := h.Claims.ClaimsOn(ctx, queue, some)
			if err != nil {
				return nil, err
			}
			for _, c := range claims {
				times = append(times, c.At)
			}
		}
	}
	return times, nil
}

// evidence looks through all lanes at once.
func (h *Handler) evidence(ctx context.Context, id string, spans []ledger.Span) (all []ledger.Evidence, err error) {
	var mu sync.Mutex
	lanes, ctx := errgroup.WithContext(ctx)
	lanes.SetLimit(8)
	for n := range h.Lanes {
		lanes.Go(func() error {
			found, err := ledger.Prove(ctx, h.Book, ledger.LaneName(n), spans, func(l ledger.Line) bool { return l.WebhookID == id })
			mu.Lock()
			defer mu.Unlock()
			all = append(all, found...)
			return err
		})
	}
	err = lanes.Wait()
	slices.SortFunc(all, ledger.ByTime)
	return all, err
}

func proofsOf(found []ledger.Evidence) []Proof {
	all := make([]Proof, len(found))
	for i, e := range found {
		all[i] = Proof{Lane: e.Lane, Index: e.Index, Entry: e.Entry, Proof: string(e.Proof), Size: e.Size}
	}
	return all
}

// untold are the attempts whose outcomes are not among what was found.
func untold(records []attempt.Record, found []ledger.Evidence) []string {
	told := map[string]bool{}
	for _, e := range found {
		if ledger.IsOutcome(e.Line.Action) {
			told[e.Line.ID] = true
		}
	}
	ids := []string{}
	for _, r := range records {
		if id := fmt.Sprintf("%s#%d", r.MessageID, r.Attempt); tried(r) && !told[id] {
			ids = append(ids, id)
		}
	}
	return ids
}
