package endpoints

import (
	"context"
	"crypto/rand"
	"maps"
	"math"
	"net/http"
	"net/textproto"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/webhook"
)

// Prober makes one exchange, as webhook.Client does. It is used by many goroutines at
// once.
type Prober interface {
	Post(ctx context.Context, r webhook.Request) webhook.Exchange
}

// Verify is the body, if there is one, of what asks an endpoint's receiver whether it
// wants events.
type Verify struct {
	// Method is event, which it is without one, or options.
	Method string `json:"method,omitzero"`
}

// The ways to ask: a signed event, whose challenge the receiver has to answer with; and
// the handshake of CloudEvents, by OPTIONS.
const (
	byEvent   = "event"
	byOptions = "options"
)

// Verification is the answer: what the receiver has said.
type Verification struct {
	Verified bool `json:"verified"`
	// Reason is why it is not.
	Reason string `json:"reason,omitzero"`
	Method string `json:"method"`
	// Status is that of the receiver's answer, 0 where there was none. It decides
	// nothing.
	Status   int               `json:"status"`
	Endpoint endpoint.Endpoint `json:"endpoint"`
}

// VerifyType is the type of the event that asks.
const VerifyType = "endpoint.verify"

// verify answers POST …/verify.
func (h *Handler) verify(r *http.Request) (int, any, error) {
	asked := Verify{Method: byEvent}
	if err := api.OptionalObject(r, &asked, `such as {"method": "options"}`); err != nil {
		return 0, nil, err
	}
	if asked.Method != byEvent && asked.Method != byOptions {
		return 0, nil, &message.FieldError{Field: "method", Problem: "must be event or options"}
	}
	e, err := h.find(r)
	if err == nil {
		err = api.IfMatch(r, e.Version)
	}
	if err != nil {
		return 0, nil, err
	}
	if h.Prober == nil {
		return 0, nil, api.Refuse(http.StatusNotImplemented, "this deployment verifies no endpoints")
	}
	ready, err := e.Check()
	if err != nil {
		return 0, nil, err
	}
	ask := h.askByEvent
	if asked.Method == byOptions {
		ask = h.askByOptions
	}
	x, consent, err := ask(r.Context(), ready)
	if err != nil {
		return 0, nil, err
	}
	answer := Verification{Verified: consent.Given, Reason: consent.Problem, Method: asked.Method, Status: x.Status, Endpoint: e}
	if consent.Given {
		answer.Endpoint, err = h.keepVerified(r, e.URL, asked.Method, consent)
	}
	return http.StatusOK, answer, err
}

// notVerified is why an endpoint is disabled whose receiver has not said that it wants
// events.
const notVerified = "not verified yet"

// mayBeEnabled refuses to enable what is not verified, where that must be, and disables
// what has another URL since.
func (h *Handler) mayBeEnabled(was endpoint.Endpoint, is *endpoint.Endpoint) error {
	switch {
	case !h.MustVerify || is.State != endpoint.Enabled || !is.Verified.IsZero():
	case was.State != endpoint.Enabled:
		return api.Conflict("the endpoint is not verified yet, and none is enabled before: see POST …/verify")
	default:
		is.State, is.Why, is.Since = endpoint.Disabled, notVerified, h.Now().UTC()
	}
	return nil
}

// keepVerified keeps that the receiver at a URL wants events.
func (h *Handler) keepVerified(r *http.Request, url, method string, c webhook.Consent) (endpoint.Endpoint, error) {
	_, value, err := h.change(r, func(e endpoint.Endpoint) (endpoint.Endpoint, string, error) {
		if e.URL != url {
			return e, "", api.Conflict("the endpoint's URL was changed while its receiver was asked; verify it again")
		}
		e.Verified, e.VerifiedOrigin = h.Now().UTC(), ""
		if method == byOptions {
			e.VerifiedOrigin = h.Origin
		}
		if rate := float64(c.PerMinute) / 60; rate > 0 && (e.RatePerSecond == 0 || rate < e.RatePerSecond) {
			e.RatePerSecond = min(rate, endpoint.MaxRate)
		}
		if e.State == endpoint.Disabled && e.Why == notVerified {
			h.turn(r, &e, endpoint.Enabled, "")
		}
		return e, ledger.EndpointVerified, nil
	})
	if err != nil {
		return endpoint.Endpoint{}, err
	}
	return value.(api.Tagged).Value.(Endpoint).Endpoint, nil
}

// askByOptions asks as CloudEvents has it.
func (h *Handler) askByOptions(ctx context.Context, e *endpoint.Ready) (webhook.Exchange, webhook.Consent, error) {
	x := h.Prober.Post(ctx, e.Target.Handshake(h.Origin, int(math.Ceil(e.RatePerSecond*60))))
	return x, webhook.ConsentOf(x, h.Origin), nil
}

// question is the body of the event that asks.
type question struct {
	Type      string `json:"type"`
	Challenge string `json:"challenge"`
}

// askByEvent sends a signed event. Its receiver checks the signature, as of every
// event, and answers with the challenge: as the body, or in an object like the one that
// came. That it answers at all says nothing.
func (h *Handler) askByEvent(ctx context.Context, e *endpoint.Ready) (x webhook.Exchange, c webhook.Consent, err error) {
	k, err := h.keyOf(ctx, e.Secret, true)
	if err != nil {
		return x, c, aboutField(err, "secret")
	}
	asked := question{VerifyType, rand.Text()}
	request := webhook.Request{URL: e.URL, ID: "verify_" + rand.Text(), EventType: VerifyType, At: h.Now(), Question: true,
		Headers: maps.Clone(e.Target.Headers), Timeout: e.Target.Timeout, Signature: e.Signature}
	for _, text := range k.At(h.Now()) {
		secret, err := webhook.ParseSecret(text)
		if err != nil {
			return x, c, &message.FieldError{Field: "secret", Problem: "names a secret that is no key that signs"}
		}
		request.Secrets = append(request.Secrets, secret)
	}
	if err := h.authorize(ctx, e, &request); err != nil {
		return x, c, err
	}
	if request.Body, err = json.Marshal(asked); err != nil {
		return x, c, err
	}
	x = h.Prober.Post(ctx, request)
	switch {
	case x.Answer == nil:
		c.Problem = webhook.ConsentOf(x, "").Problem
	case !asked.isAnsweredBy(x.Answer.Body):
		c.Problem = "its answer does not have the challenge that was sent to it"
	case x.Status/100 != 2:
		c.Problem = "it answered with the challenge, and with an error"
	default:
		c.Given = true
	}
	return x, c, nil
}

// isAnsweredBy reports whether an answer's body has the challenge.
func (q question) isAnsweredBy(body string) bool {
	body = strings.TrimSpace(body)
	var said struct {
		Challenge string `json:"challenge"`
	}
	return body == q.Challenge || json.Unmarshal([]byte(body), &said) == nil && said.Challenge == q.Challenge
}

// authorize adds the headers whose values are secrets.
func (h *Handler) authorize(ctx context.Context, e *endpoint.Ready, r *webhook.Request) error {
	for name, reference := range e.Auth {
		k, err := h.keyOf(ctx, reference, false)
		if err != nil {
			return aboutField(err, "auth")
		}
		if r.Headers == nil {
			r.Headers = http.Header{}
		}
		r.Headers[textproto.CanonicalMIMEHeaderKey(name)] = []string{k.Current}
	}
	return nil
}
