package directory

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/suppression"
)

// Suppressions is the answer to GET …/suppressions, in an order that tells nothing.
type Suppressions struct {
	Items []suppression.Entry `json:"items"`
	// Cursor asks for what follows; empty at the end.
	Cursor string `json:"cursor,omitzero"`
}

// NewSuppression is the body of what puts an address on the list.
type NewSuppression struct {
	Channel channel.Name `json:"channel"`
	Address string       `json:"address"`
	// Reason is by_hand unless it says something else: what comes from another list.
	Reason suppression.Reason `json:"reason,omitzero"`
	// Since is now unless it says something else, and may not be later.
	Since  time.Time `json:"since,omitzero"`
	Source string    `json:"source,omitzero"`
	Note   string    `json:"note,omitzero"`
}

// NewSuppressions is the body of what puts many on it.
type NewSuppressions struct {
	Items []NewSuppression `json:"items"`
}

// Imported is the answer to that: how many were put on the list, and how many were
// there, or had been lifted since.
type Imported struct {
	Added  int `json:"added"`
	Stayed int `json:"stayed"`
}

const (
	onSuppressions = onTenant + "suppressions"
	onSuppression  = onSuppressions + "/{suppression_id}"
	// mostImported is how many addresses a request may have, and importBody how many
	// bytes; importAtOnce of them are written at a time.
	mostImported = 500
	importBody   = 256 << 10
	importAtOnce = 16
)

func (h *Handler) suppressionRoutes() []api.Route {
	return []api.Route{
		{Pattern: "GET " + onSuppressions, Parameters: []string{"channel", "address", "reason", "limit", "cursor"}, Answer: h.listSuppressions},
		{Pattern: "POST " + onSuppressions, Answer: h.addSuppression},
		{Pattern: "POST " + onSuppressions + "/import", MaxBody: importBody, Answer: h.importSuppressions},
		{Pattern: "GET " + onSuppression, Answer: h.showSuppression},
		{Pattern: "DELETE " + onSuppression, Answer: h.removeSuppression},
	}
}

// listSuppressions answers GET …/suppressions; with an address it looks for that one.
func (h *Handler) listSuppressions(r *http.Request) (int, any, error) {
	query := r.URL.Query()
	p := suppression.Page{Tenant: tenantOf(r), Channel: channel.Name(query.Get("channel")), Reason: suppression.Reason(query.Get("reason"))}
	var err error
	if p.Limit, err = api.Limit(query); err != nil {
		return 0, nil, err
	}
	switch text := query.Get("cursor"); {
	case p.Channel != "" && !slices.Contains(channel.Names, p.Channel):
		return 0, nil, api.BadRequest("parameter channel: there is no channel %.40q", p.Channel)
	case p.Reason != "" && p.Reason.Rank() == 0:
		return 0, nil, api.BadRequest("parameter reason: %.40q is none; there are bounce, complaint, stop and by_hand", p.Reason)
	case text != "" && (!api.ReadOpaque(text, &p.After) || !suppression.IsID(p.After) || !strings.HasPrefix(p.After, string(p.Channel))):
		return 0, nil, api.BadRequest("cursor: is not one that this API gave for such a list")
	case query.Get("address") != "":
		return h.findSuppression(r, p, query.Get("address"))
	}
	page, next, err := h.Suppressions.ListSuppressions(r.Context(), p)
	if err != nil {
		return 0, nil, api.Unavailable("the suppression list can't be read", err)
	}
	answer := Suppressions{Items: append([]suppression.Entry{}, page...)}
	if next != "" {
		answer.Cursor = api.Opaque(next)
	}
	return http.StatusOK, answer, nil
}

// findSuppression is a list of the one entry that an address has, or of none.
func (h *Handler) findSuppression(r *http.Request, p suppression.Page, address string) (int, any, error) {
	if p.Channel == "" {
		return 0, nil, api.BadRequest("parameter address: say with channel on which one")
	}
	e, there, err := h.suppression(r, suppression.KeyOf(p.Tenant, p.Channel, address))
	answer := Suppressions{Items: []suppression.Entry{}}
	if there && p.Shows(e) {
		answer.Items = append(answer.Items, e)
	}
	return http.StatusOK, answer, err
}

func (h *Handler) suppression(r *http.Request, key suppression.Key) (e suppression.Entry, there bool, err error) {
	found, err := h.Suppressions.Suppressed(r.Context(), []suppression.Key{key})
	e, there = found[key]
	return e, there, api.Unavailable("the suppression list can't be read", err)
}

// showSuppression answers GET …/suppressions/{suppression_id}.
func (h *Handler) showSuppression(r *http.Request) (int, any, error) {
	e, err := h.findByID(r)
	return http.StatusOK, e, err
}

func (h *Handler) findByID(r *http.Request) (suppression.Entry, error) {
	id := r.PathValue("suppression_id")
	if !suppression.IsID(id) {
		return suppression.Entry{}, api.NotFound("%.120q is no suppression's id: such as email-0123456789abcdef0123456789abcdef", id)
	}
	e, there, err := h.suppression(r, suppression.Key{Tenant: tenantOf(r), ID: id})
	if err == nil && !there {
		err = api.NotFound("nothing is suppressed under %s", id)
	}
	return e, err
}

// addSuppression answers POST …/suppressions, with what then stands on the list.
func (h *Handler) addSuppression(r *http.Request) (int, any, error) {
	var asked NewSuppression
	if _, err := api.Object(r, &asked, `such as {"channel": "email", "address": "ann@acme.test"}`); err != nil {
		return 0, nil, err
	}
	e, err := asked.entry(tenantOf(r), h.Now())
	if err != nil {
		return 0, nil, err
	}
	if err := h.tell(r, h.told(r, ledger.SuppressionAdded, e)); err != nil {
		return 0, nil, err
	}
	added, err := h.Suppressions.AddSuppression(r.Context(), e)
	if err != nil {
		return 0, nil, api.Unavailable("the address can't be put on the suppression list", err)
	}
	if added {
		return http.StatusCreated, api.Tagged{Location: r.URL.Path + "/" + e.ID, Value: e}, nil
	}
	stands, there, err := h.suppression(r, e.Key())
	if err == nil && !there {
		err = api.Conflict("the address was taken from the list after %s: leave out since to have it there all the same",
			e.Since.Format(time.RFC3339))
	}
	return http.StatusOK, stands, err
}

func (h *Handler) told(r *http.Request, action string, e suppression.Entry) ledger.Entry {
	now := h.Now()
	return e.Told(action, api.CallerOf(r).Name, h.Redactors.Redactor(r.Context(), now), now)
}

// entry is what is asked for, as it is kept.
func (n NewSuppression) entry(tenant string, now time.Time) (suppression.Entry, error) {
	why, since := n.Reason, n.Since
	if why == "" {
		why = suppression.ByHand
	}
	if since.IsZero() {
		since = now
	}
	e, err := suppression.New(tenant, n.Channel, n.Address, why, since)
	if err != nil {
		return e, err
	}
	e.Source, e.Note = n.Source, n.Note
	switch {
	case since.After(now) || since.Year() < 1970:
		return e, &message.FieldError{Field: "since", Problem: "must be a time that is past"}
	case len(e.Source) > suppression.MaxSource || message.HasControl(e.Source):
		return e, &message.FieldError{Field: "source", Problem: "must be at most 256 bytes, without control characters"}
	case len(e.Note) > suppression.MaxNote || message.HasControl(e.Note):
		return e, &message.FieldError{Field: "note", Problem: "must be at most 512 bytes, without control characters"}
	}
	return e, nil
}

// importSuppressions answers POST …/suppressions/import: all of it is looked at before
// anything is written. After an error it can be asked for again.
func (h *Handler) importSuppressions(r *http.Request) (int, any, error) {
	var asked struct {
		Items []jsontext.Value `json:"items"`
	}
	if _, err := api.Object(r, &asked, `such as {"items": [{"channel": "email", "address": "ann@acme.test"}]}`); err != nil {
		return 0, nil, err
	}
	if len(asked.Items) == 0 || len(asked.Items) > mostImported {
		return 0, nil, api.BadRequest(`field "items": must have 1 to %d items, and has %d`, mostImported, len(asked.Items))
	}
	entries, tells := make([]suppression.Entry, len(asked.Items)), make([]ledger.Entry, len(asked.Items))
	for i, item := range asked.Items {
		var n NewSuppression
		if _, err := api.ObjectOf(item, fmt.Sprintf("item %d", i), &n); err != nil {
			return 0, nil, err
		}
		var err error
		if entries[i], err = n.entry(tenantOf(r), h.Now()); err != nil {
			return 0, nil, api.BadRequest("item %d: %v", i, err)
		}
		tells[i] = h.told(r, ledger.SuppressionAdded, entries[i])
	}
	if err := h.tell(r, tells...); err != nil {
		return 0, nil, err
	}
	return h.addAll(r, entries)
}

func (h *Handler) addAll(r *http.Request, entries []suppression.Entry) (int, any, error) {
	added := make([]bool, len(entries))
	g, ctx := errgroup.WithContext(r.Context())
	g.SetLimit(importAtOnce)
	for i, e := range entries {
		g.Go(func() (err error) {
			added[i], err = h.Suppressions.AddSuppression(ctx, e)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return 0, nil, api.Unavailable("not all of them could be put on the suppression list", err)
	}
	var out Imported
	for _, a := range added {
		if a {
			out.Added++
		} else {
			out.Stayed++
		}
	}
	return http.StatusOK, out, nil
}

// removeSuppression answers DELETE …/suppressions/{suppression_id}.
func (h *Handler) removeSuppression(r *http.Request) (int, any, error) {
	e, err := h.findByID(r)
	if err != nil {
		return 0, nil, err
	}
	if err := h.tell(r, h.told(r, ledger.SuppressionRemoved, e)); err != nil {
		return 0, nil, err
	}
	if _, err := h.Suppressions.LiftSuppression(r.Context(), suppression.Lifting{Key: e.Key(), At: h.Now()}); err != nil {
		return 0, nil, api.Unavailable("the address can't be taken from the suppression list", err)
	}
	return http.StatusNoContent, nil, nil
}
