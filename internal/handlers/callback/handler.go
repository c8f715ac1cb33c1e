// Package callback is the room that takes in what Twilio reports, on a route that
// everybody can reach: whoever calls it is believed by their signature alone, which is
// looked at first. What they tell goes to the queue reports, and nothing else is done.
package callback

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/need"
	"github.com/efferent/efferent/internal/report"
	"github.com/efferent/efferent/internal/waiting"
)

// Needs is what a Handler needs, all of it.
type Needs struct {
	// Secrets gives the secret that configures SMS, named Secret.
	Secrets channel.Secrets
	Secret  string
	// Sender sends to the queue reports.
	Sender waiting.Sender
	Now    func() time.Time
	Log    *slog.Logger
}

// Handler takes callbacks in. It may be used by many goroutines at once.
type Handler struct{ Needs }

// New returns a Handler. Its error names each need that is missing.
func New(n Needs) (*Handler, error) {
	if err := need.All(n); err != nil {
		return nil, fmt.Errorf("the handler of callbacks: %w", err)
	}
	return &Handler{n}, nil
}

// Path begins the paths of what is for this handler; a token follows.
const Path = report.CallbackPath

const (
	maxForm = 32 << 10
	// requestTime is less than Twilio waits for an answer: 15 s ("Webhook connection
	// overrides").
	requestTime = 10 * time.Second
	// nothing is TwiML's: no answer is to be sent to who has sent an SMS.
	nothing = `<?xml version="1.0" encoding="UTF-8"?><Response></Response>`
)

// What a request can come to beside being taken.
var (
	errForged   = errors.New("the request is not signed by Twilio for this account")
	errTooLarge = errors.New("the form is too large")
)

// Routes returns the handler's route, on an address of its own. Everybody can reach it:
// a path that is not just as Twilio was told is none.
func (h *Handler) Routes() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, ours := strings.CutPrefix(r.URL.EscapedPath(), Path)
		switch {
		case !ours || token == "" || strings.Trim(token, ".") == "" || strings.ContainsAny(token, "/%"):
			api.WriteProblem(w, http.StatusNotFound, "there is nothing here")
		case r.Method != http.MethodPost:
			w.Header().Set("Allow", http.MethodPost)
			api.WriteProblem(w, http.StatusMethodNotAllowed, r.Method+" is not for this path: use POST")
		default:
			r.SetPathValue("token", token)
			h.ServeHTTP(w, r)
		}
	})
}

// ServeHTTP answers POST /callbacks/twilio/{token}: 200 once the report is on the queue,
// or nothing follows from it; 403 where it is not Twilio's; 503 where Twilio is to try
// again.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, stop := context.WithTimeout(r.Context(), requestTime)
	defer stop()
	switch err := h.take(ctx, r); {
	case err == nil:
		w.Header().Set("Content-Type", "text/xml")
		_, _ = io.WriteString(w, nothing)
	case errors.Is(err, errForged):
		h.Log.WarnContext(ctx, "a callback was refused", "reason", err.Error())
		api.WriteProblem(w, http.StatusForbidden, errForged.Error())
	case errors.Is(err, errTooLarge):
		api.WriteProblem(w, http.StatusRequestEntityTooLarge, errTooLarge.Error())
	default:
		h.Log.ErrorContext(ctx, "a callback was not taken; Twilio tries again", "error", err)
		api.WriteProblem(w, http.StatusServiceUnavailable, "the report was not taken; try again")
	}
}

func (h *Handler) take(ctx context.Context, r *http.Request) error {
	form, err := formOf(r)
	if err != nil {
		return err
	}
	account, err := h.account(ctx, r, form)
	if err != nil {
		return err
	}
	told, err := read(r, form, account.AuthToken, h.Now())
	if errors.Is(err, report.ErrNothing) {
		return nil
	}
	if err != nil {
		return err
	}
	body, err := told.Encode()
	if err != nil {
		return fmt.Errorf("%w: %w", errForged, err)
	}
	return waiting.SendOne(ctx, h.Sender, report.Queue, waiting.Outgoing{Body: body})
}

// formOf reads a form strictly: a body that is none can't be signed as one.
func formOf(r *http.Request) (url.Values, error) {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, fmt.Errorf("%w: it is no form", errForged)
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxForm+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("the form broke off: %w", err)
	case len(body) > maxForm:
		return nil, errTooLarge
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, fmt.Errorf("%w: it is no form", errForged)
	}
	return form, nil
}

// account is the one that has signed the request. The secret is read anew where the
// cached one has not: its auth token may have been changed.
func (h *Handler) account(ctx context.Context, r *http.Request, form url.Values) (c channel.SMSConfig, why error) {
	for _, since := range []time.Time{{}, h.Now()} {
		text, err := h.Secrets.Text(ctx, h.Secret, since)
		if errors.Is(err, channel.ErrNotConfigured) {
			return c, fmt.Errorf("%w: there is no secret %s", errForged, h.Secret)
		}
		if err != nil {
			return c, fmt.Errorf("the secret %s can't be read: %w", h.Secret, err)
		}
		why = errForged
		if c, err = channel.ParseSMS(text); err != nil || c.CallbackURL == "" {
			why = fmt.Errorf("%w: the secret %s has no callback_url", errForged, h.Secret)
		} else if report.SignedByTwilio(c.AuthToken, target(c, r), form, r.Header.Get("X-Twilio-Signature")) {
			return c, nil
		}
	}
	return c, why
}

// target is the URL that Twilio was told: what is between it and us may have changed
// its host.
func target(c channel.SMSConfig, r *http.Request) string {
	u := c.CallbackURL + report.CallbackPath + strings.TrimPrefix(r.URL.EscapedPath(), report.CallbackPath)
	if r.URL.RawQuery != "" {
		u += "?" + r.URL.RawQuery
	}
	return u
}

// read is what a signed request tells.
func read(r *http.Request, form url.Values, authToken string, now time.Time) (told report.Report, err error) {
	token := r.PathValue("token")
	if token == report.Incoming {
		if told, err = report.OfIncoming(r.URL.Query().Get("tenant"), form); err != nil && !errors.Is(err, report.ErrNothing) {
			err = fmt.Errorf("%w: %w", errForged, err)
		}
	} else {
		of, ok := report.ReadToken(token, authToken)
		if !ok {
			return told, fmt.Errorf("%w: the token is not ours", errForged)
		}
		told, err = report.OfStatus(of, form)
	}
	told.At = now
	return told, err
}
