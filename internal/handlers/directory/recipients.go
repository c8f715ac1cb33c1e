package directory

import (
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/recipient"
)

// Recipients is the answer to GET …/recipients, in the order of their ids.
type Recipients struct {
	Items []recipient.Recipient `json:"items"`
	// Cursor asks for what follows; empty at the end.
	Cursor string `json:"cursor,omitzero"`
}

const (
	onRecipients = onTenant + "recipients"
	onRecipient  = onRecipients + "/{recipient_id}"
	// recipientTries is how often a change is made again of what others have made.
	recipientTries = 5
)

func (h *Handler) recipientRoutes() []api.Route {
	return []api.Route{
		{Pattern: "GET " + onRecipients, Parameters: []string{"limit", "cursor"}, Answer: h.listRecipients},
		{Pattern: "GET " + onRecipient, Answer: h.showRecipient},
		{Pattern: "PUT " + onRecipient, Answer: h.putRecipient},
		{Pattern: "PATCH " + onRecipient, Answer: h.patchRecipient},
		{Pattern: "DELETE " + onRecipient, Answer: h.removeRecipient},
	}
}

// listRecipients answers GET …/recipients.
func (h *Handler) listRecipients(r *http.Request) (int, any, error) {
	query := r.URL.Query()
	limit, err := api.Limit(query)
	if err != nil {
		return 0, nil, err
	}
	var after string
	if text := query.Get("cursor"); text != "" && (!api.ReadOpaque(text, &after) || channel.CheckTo(after) != "") {
		return 0, nil, api.BadRequest("cursor: is not one that this API gave")
	}
	all, err := h.Recipients.ListRecipients(r.Context(), tenantOf(r), after, limit+1)
	if err != nil {
		return 0, nil, api.Unavailable("the recipients can't be read", err)
	}
	answer := Recipients{Items: append([]recipient.Recipient{}, all[:min(limit, len(all))]...)}
	if len(all) > limit {
		answer.Cursor = api.Opaque(all[limit-1].ID)
	}
	return http.StatusOK, answer, nil
}

// findRecipient gives the recipient of the path; there is false where there is none, whose Version
// is 0.
func (h *Handler) findRecipient(r *http.Request) (found recipient.Recipient, there bool, err error) {
	key := recipient.Key{Tenant: tenantOf(r), ID: r.PathValue("recipient_id")}
	if problem := channel.CheckTo(key.ID); problem != "" {
		return found, false, api.NotFound("%.140q is no recipient's id: it %s", key.ID, problem)
	}
	all, err := h.Recipients.Recipients(r.Context(), []recipient.Key{key})
	switch {
	case err != nil:
		return found, false, api.Unavailable("the recipient can't be read", err)
	case len(all) == 0:
		return recipient.Recipient{ID: key.ID, Tenant: key.Tenant}, false, nil
	}
	return all[0], true, nil
}

func noRecipient(r *http.Request) error {
	return api.NotFound("the tenant %s has no recipient %s", r.PathValue("tenant"), r.PathValue("recipient_id"))
}

// showRecipient answers GET …/recipients/{recipient_id}.
func (h *Handler) showRecipient(r *http.Request) (int, any, error) {
	found, there, err := h.findRecipient(r)
	if err == nil && !there {
		err = noRecipient(r)
	}
	return http.StatusOK, shownRecipient(found), err
}

func shownRecipient(r recipient.Recipient) api.Tagged {
	return api.Tagged{Version: r.Version, Value: r}
}

// putRecipient answers PUT …/recipients/{recipient_id}: the body takes the place of what
// there is.
func (h *Handler) putRecipient(r *http.Request) (int, any, error) {
	body, err := api.Body(r, `such as {"addresses": {"email": "ann@acme.test"}}`)
	if err != nil {
		return 0, nil, err
	}
	asked, err := recipient.Read(body)
	if err != nil {
		return 0, nil, unreadable(err)
	}
	return h.changeRecipient(r, ledger.RecipientPut, func(was recipient.Recipient, there bool) (recipient.Recipient, error) {
		now := asked
		switch {
		case now.ID != "" && now.ID != was.ID:
			return now, &message.FieldError{Field: "id", Problem: "is another than the path's"}
		case now.Tenant != "" && now.Tenant != was.Tenant:
			return now, &message.FieldError{Field: "tenant", Problem: "is another than the path's"}
		case now.Version != 0 && now.Version != was.Version:
			return now, recipient.ErrChanged
		}
		now.ID, now.Tenant, now.Created, now.Updated = was.ID, was.Tenant, was.Created, was.Updated
		return now, nil
	})
}

// patchRecipient answers PATCH …/recipients/{recipient_id}, with a JSON merge patch.
func (h *Handler) patchRecipient(r *http.Request) (int, any, error) {
	body, err := api.Body(r, "{} changes nothing")
	if err != nil {
		return 0, nil, err
	}
	return h.changeRecipient(r, ledger.RecipientUpdated, func(was recipient.Recipient, there bool) (recipient.Recipient, error) {
		if !there {
			return was, noRecipient(r)
		}
		now, err := was.Patch(body)
		return now, unreadable(err)
	})
}

// unreadable tells of a body that is no recipient at all.
func unreadable(err error) error {
	if err == nil || errors.As(err, new(*message.FieldError)) || errors.Is(err, recipient.ErrChanged) {
		return err
	}
	return api.BadRequest("the body can't be used: %v", err)
}

// changeRecipient changes the recipient of the path, and tells of that before. Where
// another was faster it is made again of what the other one made, unless the caller has
// said of which version it is meant.
func (h *Handler) changeRecipient(r *http.Request, action string,
	make func(was recipient.Recipient, there bool) (recipient.Recipient, error)) (int, any, error) {
	said := false
	for try := 1; ; try++ {
		was, there, err := h.findRecipient(r)
		if err == nil {
			err = api.Precondition(r, was.Version, there)
		}
		if err != nil {
			return 0, nil, err
		}
		now, err := make(was, there)
		if err == nil {
			err = now.Check()
		}
		switch {
		case err != nil:
			return 0, nil, err
		case there && now.Is(&was):
			return http.StatusOK, shownRecipient(was), nil
		}
		if !said {
			if err := h.tellOfRecipient(r, action); err != nil {
				return 0, nil, err
			}
			said = true
		}
		if now.Version, now.Updated = was.Version+1, h.Now().UTC(); !there {
			now.Created, now.Version = now.Updated, h.firstVersion()
		}
		err = h.Recipients.PutRecipient(r.Context(), now, was.Version)
		switch {
		case err == nil && !there:
			return http.StatusCreated, api.Tagged{Version: now.Version, Location: r.URL.Path, Value: now}, nil
		case err == nil:
			return http.StatusOK, shownRecipient(now), nil
		case !errors.Is(err, recipient.ErrChanged):
			return 0, nil, api.Unavailable("the recipient can't be kept", err)
		case try == recipientTries:
			return 0, nil, api.Conflict("others are changing the recipient all the time; try again")
		}
	}
}

// removeRecipient answers DELETE …/recipients/{recipient_id}: nothing of them is kept
// here any more.
func (h *Handler) removeRecipient(r *http.Request) (int, any, error) {
	said := false
	for try := 1; ; try++ {
		was, there, err := h.findRecipient(r)
		switch {
		case err != nil:
			return 0, nil, err
		case !there && said: // by another, meanwhile
			return http.StatusNoContent, nil, nil
		case !there:
			return 0, nil, noRecipient(r)
		}
		if err = api.IfMatch(r, was.Version); err == nil && !said {
			err, said = h.tellOfRecipient(r, ledger.RecipientRemoved), true
		}
		if err != nil {
			return 0, nil, err
		}
		switch err = h.Recipients.DeleteRecipient(r.Context(), was.Key(), was.Version); {
		case err == nil:
			return http.StatusNoContent, nil, nil
		case !errors.Is(err, recipient.ErrChanged) || try == recipientTries:
			return 0, nil, api.Unavailable("the recipient can't be removed", err)
		}
	}
}

// tellOfRecipient tells the ledger what is about to be done to whom: by a keyed hash,
// since an id may say who somebody is, and a ledger can't be erased.
func (h *Handler) tellOfRecipient(r *http.Request, action string) error {
	now := h.Now()
	who := h.Redactors.Redactor(r.Context(), now).Recipient(r.PathValue("recipient_id"))
	return h.tell(r, ledger.Entry{Action: action, Actor: api.CallerOf(r).Name, ID: uuid.NewString(), Tenant: tenantOf(r), Timestamp: now,
		Resource: "recipient=" + who})
}
