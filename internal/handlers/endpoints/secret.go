package endpoints

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/webhook"
)

// The kinds of a key that is made here.
const (
	keyShared  = "whsec" // both sides have it
	keyPrivate = "whsk"  // the receiver has its public half
)

// Secret is what an endpoint's receiver needs to check signatures: whsec_ keys, or the
// public halves of private ones.
type Secret struct {
	// Secret names where the key is kept.
	Secret      string `json:"secret"`
	ReceiverKey string `json:"receiver_key"`
	// PreviousReceiverKey signs beside it until PreviousUntil, if there is one.
	PreviousReceiverKey string    `json:"previous_receiver_key,omitzero"`
	PreviousUntil       time.Time `json:"previous_until,omitzero"`
}

// Rotate is the body, if there is one, of what replaces a key.
type Rotate struct {
	// Grace is for how long the key before signs too, such as 24h: 0 to 7 days.
	Grace string `json:"grace,omitzero"`
	// Key is whsec or whsk; without it the new key is of the kind of the old one.
	Key string `json:"key,omitzero"`
}

func (h *Handler) secretRoutes() []api.Route {
	return []api.Route{
		{Pattern: "GET " + onEndpoint + "/secret", Answer: h.reveal, Secret: true},
		{Pattern: "POST " + onEndpoint + "/rotate", Answer: h.rotate},
	}
}

// ownSecret is the reference of the key that is made for an endpoint: one secret a
// tenant, and in it one key an endpoint.
func ownSecret(e endpoint.Endpoint) string { return webhook.SecretPrefix + e.Tenant + "#" + e.ID }

// isOf reports whether a reference is to what belongs to a tenant. An ARN may have
// more than a name in it, and is not taken for one.
func isOf(tenant, reference string) bool {
	name, _, _ := strings.Cut(reference, "#")
	own := webhook.SecretPrefix + tenant
	return name == own || strings.HasPrefix(name, own+"/")
}

// checkSecrets refuses secrets that are not there, or that are not for the caller to
// name. Who is limited to a tenant may not have what is not that tenant's sent to
// where they say; and nobody may where tenants are told apart by who may call which
// path, which we are not told of.
func (h *Handler) checkSecrets(r *http.Request, was, is endpoint.Endpoint) error {
	limited := h.limited(r)
	if is.Secret != was.Secret && is.Secret != ownSecret(is) {
		if limited && !isOf(is.Tenant, is.Secret) {
			return notYours("secret", is.Tenant)
		}
		if _, err := h.keyOf(r.Context(), is.Secret, true); err != nil {
			return aboutField(err, "secret")
		}
	}
	moved := is.URL != was.URL || !maps.Equal(is.Auth, was.Auth)
	for name, reference := range is.Auth {
		if limited && moved && !isOf(is.Tenant, reference) {
			return notYours("auth", is.Tenant)
		}
		if was.Auth[name] == reference {
			continue
		}
		if _, err := h.keyOf(r.Context(), reference, false); err != nil {
			return aboutField(err, "auth")
		}
	}
	return h.checkKey(r.Context(), was, is)
}

// limited reports whether only what is the path's tenant's may be named, and shown.
func (h *Handler) limited(r *http.Request) bool { return h.OwnSecrets || api.CallerOf(r).Tenant != "" }

func notYours(field, tenant string) error {
	return api.Refuse(http.StatusForbidden, "field %q: this caller may only use secrets named %s%s or %s%s/…", field,
		webhook.SecretPrefix, tenant, webhook.SecretPrefix, tenant)
}

// errSecret says what is wrong with a secret, without a word of it.
type errSecret struct{ problem string }

func (e errSecret) Error() string { return e.problem }

func aboutField(err error, field string) error {
	var wrong errSecret
	if errors.As(err, &wrong) {
		return &message.FieldError{Field: field, Problem: wrong.problem}
	}
	return err
}

// keyOf reads what a reference is to. signs says that it must be a key that signs.
func (h *Handler) keyOf(ctx context.Context, reference string, signs bool) (signingkey.Key, error) {
	name, key, keyed := strings.Cut(reference, "#")
	v, err := h.Secrets.ReadVersion(ctx, name, rotation.Current)
	switch {
	case errors.Is(err, rotation.ErrNone):
		return signingkey.Key{}, errSecret{"names a secret that is not there"}
	case err != nil:
		return signingkey.Key{}, api.Unavailable("the secret can't be read", err)
	}
	k := signingkey.Key{Current: v.Text}
	if keyed {
		keys, err := signingkey.Parse(v.Text)
		if err == nil {
			k, err = keys.Key(key)
		}
		if err != nil {
			return k, errSecret{"names a key that is not in its secret"}
		}
	}
	if _, err := webhook.ParseSecret(k.Current); signs && (err != nil || !keyed && signingkey.Begins(v.Text)) {
		return k, errSecret{"names a secret that is no key that signs"}
	}
	return k, nil
}

// newKey makes the key of a new endpoint, and gives what the receiver needs.
func (h *Handler) newKey(ctx context.Context, e endpoint.Endpoint, kind string) (string, error) {
	fresh := webhook.NewSecret(likeOf(kind))
	name, key, _ := strings.Cut(e.Secret, "#")
	_, err := rotation.Change(ctx, h.Secrets, name, func(old rotation.Version) (string, error) {
		return signingkey.Put(old.Text, key, fresh)
	})
	if err != nil {
		return "", h.cantKeep(name, err)
	}
	return receiverKey(fresh), nil
}

func (h *Handler) cantKeep(name string, err error) error {
	switch {
	case errors.Is(err, signingkey.ErrNotObject):
		return api.Conflict("the secret %s holds one key, and no JSON object of keys by the endpoints' ids; keep that key under another name "+
			"(%s/…), or name it as the endpoint's secret", name, name)
	case errors.Is(err, rotation.ErrFull):
		return api.Conflict("the secret %s is full: it can have no more keys; name another as the endpoint's secret", name)
	}
	return api.Unavailable("the key can't be kept", err)
}

// likeOf is what a key of a kind looks like.
func likeOf(kind string) string {
	if kind == "" {
		return ""
	}
	return kind + "_"
}

// receiverKey is the public half of a private key, and any other key itself.
func receiverKey(key string) string {
	if s, err := webhook.ParseSecret(key); err == nil && s.PublicKey() != "" {
		return s.PublicKey()
	}
	return key
}

// dropKey removes the key of an endpoint that is no more. It would sign nothing: that
// it stays is only logged.
func (h *Handler) dropKey(ctx context.Context, e endpoint.Endpoint) {
	name, key, _ := strings.Cut(ownSecret(e), "#")
	if _, err := h.Secrets.ReadVersion(ctx, name, rotation.Current); errors.Is(err, rotation.ErrNone) {
		return
	}
	_, err := rotation.Change(ctx, h.Secrets, name, func(old rotation.Version) (string, error) {
		text, err := signingkey.Remove(old.Text, key)
		if err != nil {
			return old.Text, nil // it is not there
		}
		return text, nil
	})
	if err != nil {
		h.Log.WarnContext(ctx, "the key of an endpoint that was deleted is still kept", "endpoint", e.ID, "tenant", e.Tenant, "error",
			err)
	}
}

// mine refuses to show or change a key that is not the tenant's to who is limited to
// it: others may use it too.
func (h *Handler) mine(r *http.Request, e endpoint.Endpoint) error {
	if h.limited(r) && !isOf(e.Tenant, e.Secret) {
		return api.Refuse(http.StatusForbidden, "the endpoint's key is not under %s%s: who operates this service has named it",
			webhook.SecretPrefix, e.Tenant)
	}
	return nil
}

// reveal answers GET …/secret.
func (h *Handler) reveal(r *http.Request) (int, any, error) {
	e, err := h.find(r)
	if err == nil {
		err = h.mine(r, e)
	}
	if err == nil {
		err = h.tell(r, e, ledger.EndpointRevealed)
	}
	if err != nil {
		return 0, nil, err
	}
	k, err := h.keyOf(r.Context(), e.Secret, true)
	if wrong := new(errSecret); errors.As(err, wrong) {
		return 0, nil, api.Conflict("the endpoint %s; rotate makes a key where it is one that was made here", wrong.problem)
	}
	return http.StatusOK, secretOf(e, k, h.Now()), err
}

func secretOf(e endpoint.Endpoint, k signingkey.Key, now time.Time) Secret {
	s := Secret{Secret: e.Secret, ReceiverKey: receiverKey(k.Current)}
	if all := k.At(now); len(all) > 1 {
		s.PreviousReceiverKey, s.PreviousUntil = receiverKey(all[1]), k.Until
	}
	return s
}

// rotate answers POST …/rotate: a new key signs from now on, and the one before beside
// it for the grace.
func (h *Handler) rotate(r *http.Request) (int, any, error) {
	var asked Rotate
	if err := api.OptionalObject(r, &asked, `such as {"grace": "24h"}`); err != nil {
		return 0, nil, err
	}
	grace, err := asked.check()
	if err != nil {
		return 0, nil, err
	}
	e, err := h.find(r)
	if err == nil {
		err = h.mine(r, e)
	}
	if err == nil {
		err = api.IfMatch(r, e.Version)
	}
	if err == nil {
		err = checkKind(e.Signature, asked.Key)
	}
	if err == nil {
		err = h.tell(r, e, ledger.EndpointRotated)
	}
	if err != nil {
		return 0, nil, err
	}
	turn := &rotating{Rotate: asked, grace: grace, now: h.Now().UTC(), endpoint: e}
	name, _, _ := strings.Cut(e.Secret, "#")
	v, err := rotation.Change(r.Context(), h.Secrets, name, turn.text)
	switch {
	case errors.As(err, new(*api.Refusal)):
		return 0, nil, err
	case err != nil:
		return 0, nil, h.cantKeep(name, err)
	}
	h.sayRotated(r)
	k := signingkey.Key{Current: v.Text}
	if keys, err := signingkey.Parse(v.Text); err == nil {
		if k, err = keys.Key(turn.key()); err != nil {
			return 0, nil, api.Unavailable("the key can't be read", err)
		}
	}
	return http.StatusOK, secretOf(e, k, turn.now), nil
}

// sayRotated notes with the endpoint that its key is another one, so that whoever signs
// reads it at once. Where that fails it is read some minutes later.
func (h *Handler) sayRotated(r *http.Request) {
	var err error
	for range changeTries {
		var was endpoint.Endpoint
		if was, err = h.find(r); err != nil {
			break
		}
		e := was
		e.Rotated = h.Now().UTC()
		e.Version, e.Updated = was.Version+1, e.Rotated
		if err = h.Endpoints.UpdateEndpoint(r.Context(), e); err == nil {
			h.tellProducers(r.Context(), was, e)
			return
		}
		if !errors.Is(err, endpoint.ErrChanged) {
			break
		}
	}
	h.Log.WarnContext(r.Context(), "a key was replaced, which is seen some minutes later", "endpoint", r.PathValue("endpoint_id"),
		"error", err)
}

func (q Rotate) check() (time.Duration, error) {
	if q.Key != "" && q.Key != keyShared && q.Key != keyPrivate {
		return 0, &message.FieldError{Field: "key", Problem: `must be "whsec" or "whsk"`}
	}
	if q.Grace == "" {
		return signingkey.DefaultGrace, nil
	}
	grace, err := time.ParseDuration(q.Grace)
	if err != nil {
		return 0, &message.FieldError{Field: "grace", Problem: "must be a duration such as 24h or 90m, from 0s to 168h"}
	}
	if err := signingkey.CheckGrace(grace); err != nil {
		return 0, &message.FieldError{Field: "grace", Problem: err.Error()}
	}
	return grace, nil
}

// rotating is a key on its way into a secret. The same one is tried again where
// somebody else was faster.
type rotating struct {
	Rotate
	grace    time.Duration
	now      time.Time
	endpoint endpoint.Endpoint
	fresh    string
}

func (t *rotating) key() string {
	_, key, _ := strings.Cut(t.endpoint.Secret, "#")
	return key
}

// text is the secret's text with the new key in it.
func (t *rotating) text(old rotation.Version) (string, error) {
	keys, err := signingkey.Parse(old.Text)
	own := t.endpoint.Secret == ownSecret(t.endpoint)
	switch {
	case old.ID == "" && own:
		return signingkey.Put("", t.key(), t.make(""))
	case old.ID == "":
		return "", api.Conflict("the endpoint's secret is not there any more; name another")
	case t.key() == "" && err == nil:
		return "", api.Conflict("the endpoint's secret holds several keys, and the endpoint names none of them")
	case t.key() == "" && t.Grace != "":
		return "", api.Conflict("a grace is for a key of a JSON secret: of one that holds one key the deployment says for how long the key " +
			"before signs (EFFERENT_SECRET_GRACE)")
	case t.key() == "":
		return t.make(old.Text), nil
	case err != nil:
		return "", err
	}
	k, err := keys.Key(t.key())
	switch {
	case errors.Is(err, signingkey.ErrNoKey) && own:
		return signingkey.Put(old.Text, t.key(), t.make(""))
	case err != nil:
		return "", api.Conflict("the endpoint's secret has no key %q that can be replaced", t.key())
	}
	return signingkey.Rotate(old.Text, t.key(), t.make(k.Current), t.now, t.grace)
}

// make makes the new key, once.
func (t *rotating) make(last string) string {
	if t.fresh == "" && t.Key != "" {
		last = likeOf(t.Key)
	}
	if t.fresh == "" {
		t.fresh = webhook.NewSecret(last)
	}
	return t.fresh
}
