package report

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
)

// CallbackPath is what follows the address of the API in the URLs that Twilio calls; a
// token follows, or Incoming.
const CallbackPath = "/callbacks/twilio/"

// Incoming stands for a token where somebody's own SMS are told.
const Incoming = "incoming"

// Retries has Twilio try a callback again that could not be taken ("Webhook connection
// overrides"): three times more, within its 15 s. It stays with Twilio: a fragment is
// never sent.
const Retries = "#rc=3&rp=5xx,ct,rt"

// SignedByTwilio reports whether a form was sent to target by somebody who has the
// account's auth token ("Webhooks security"): the HMAC-SHA1 of the URL, and of each name
// and value of the form, in the order of the names. Twilio has signed URLs with and
// without their port, so that both are looked at; in constant time, all of them.
func SignedByTwilio(authToken, target string, form url.Values, signature string) bool {
	ok := false
	for _, u := range spellings(target) {
		same := hmac.Equal([]byte(signature), []byte(twilioSignature(authToken, u, form)))
		ok = ok || same
	}
	return ok && authToken != ""
}

// twilioSignature is the one that belongs to a URL.
func twilioSignature(authToken, target string, form url.Values) string {
	h := hmac.New(sha1.New, []byte(authToken))
	h.Write([]byte(target))
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
			h.Write([]byte(name + value))
		}
	}
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// spellings are a URL with and without the port that is its scheme's.
func spellings(target string) []string {
	u, err := url.Parse(target)
	if err != nil {
		return []string{target}
	}
	rest := strings.TrimPrefix(target, u.Scheme+"://"+u.Host)
	port := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]
	bare := strings.TrimSuffix(u.Host, ":"+u.Port())
	if u.Port() != "" {
		port = ":" + u.Port()
	}
	return []string{u.Scheme + "://" + bare + rest, u.Scheme + "://" + bare + port + rest}
}

// optedOut are the errors by which Twilio says that the number has answered STOP
// ("Error and warning dictionary": 21610).
const optedOut = "21610"

// twilioStates are the ends that a message can come to ("Messages resource", message
// status values). The others are steps on the way.
var twilioStates = map[string]attempt.State{
	"delivered": attempt.Arrived, "read": attempt.Arrived,
	"undelivered": attempt.Undelivered, "failed": attempt.Undelivered, "canceled": attempt.Undelivered,
}

// OfStatus is what a status callback tells of an attempt ("Track outbound message
// status"). Error: ErrNothing.
func OfStatus(of Key, form url.Values) (Report, error) {
	r := Report{Provider: Twilio, Of: of, State: twilioStates[strings.ToLower(form.Get("MessageStatus"))]}
	if r.State == "" {
		return Report{}, ErrNothing
	}
	if r.State != attempt.Undelivered {
		return r, nil
	}
	r.Reason = "Twilio: " + word(form.Get("MessageStatus"))
	if code := word(form.Get("ErrorCode")); code != "" {
		r.Reason += ", error " + code + " (twilio.com/docs/api/errors/" + code + ")"
		r.OptedOut = code == optedOut
	}
	if to := form.Get("To"); r.OptedOut && to != "" {
		r.Recipients = []string{message.Shorten(to, maxText)}
	}
	return r, nil
}

// Words that Twilio takes for an answer by itself ("Twilio support for opt-out
// keywords"); a messaging service may have others, of which OptOutType tells.
var keywords = map[string]string{
	"STOP": Stop, "STOPALL": Stop, "UNSUBSCRIBE": Stop, "CANCEL": Stop, "END": Stop, "QUIT": Stop, "REVOKE": Stop, "OPTOUT": Stop,
	"START": Start, "YES": Start, "UNSTOP": Start,
}

// OfIncoming is what somebody's own SMS tells, to the number of a tenant; empty for
// everybody's. Errors: ErrNothing; any other says what is wrong with the form.
func OfIncoming(tenant string, form url.Values) (Report, error) {
	said := strings.ToUpper(strings.TrimSpace(form.Get("Body")))
	if kind := form.Get("OptOutType"); kind != "" {
		said = strings.ToUpper(kind)
	}
	r := Report{Provider: Twilio, Word: keywords[said], Tenant: tenant, Recipients: []string{form.Get("From")}}
	switch {
	case r.Word == "":
		return Report{}, ErrNothing
	case message.CheckTenant(tenant) != "":
		return Report{}, errors.New("the parameter tenant is no tenant's name")
	case !strings.HasPrefix(r.Recipients[0], "+") || len(r.Recipients[0]) > maxText:
		return Report{}, ErrNothing // a short code, or WhatsApp: none that an SMS can go to
	}
	return r, nil
}
