package webhook

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// The headers of the handshake by which a receiver says that it wants webhooks ("HTTP
// 1.1 Web Hooks for Event Delivery", version 1.0.1, section 4), by their canonical
// names.
const (
	// RequestOrigin is the sender's name: in the question, and in each webhook since.
	RequestOrigin = "Webhook-Request-Origin"
	requestRate   = "Webhook-Request-Rate"
	allowedOrigin = "Webhook-Allowed-Origin"
	allowedRate   = "Webhook-Allowed-Rate"
)

// Consent is what a receiver has said.
type Consent struct {
	// Given: it wants webhooks of who asked. Problem is why it is not.
	Given   bool
	Problem string
	// PerMinute is how many at most; 0 is without a bound.
	PerMinute int
}

// maxRate is more than anybody allows: what is higher is no bound.
const maxRate = 1_000_000

// Handshake is the question whether the receiver at a target wants webhooks of an
// origin; perMinute is how many are to come, 0 where nobody knows.
func (t Target) Handshake(origin string, perMinute int) Request {
	h := http.Header{RequestOrigin: {origin}}
	if perMinute > 0 {
		h[requestRate] = []string{strconv.Itoa(perMinute)}
	}
	return Request{URL: t.URL, target: t.target, Headers: h, Timeout: t.Timeout, Options: true, Question: true}
}

// why is why no answer came.
func (x Exchange) why() string {
	if x.Err == nil {
		return "no answer came"
	}
	return x.Err.Error()
}

// ConsentOf reads the answer to a Handshake. The status says nothing: who knows nothing
// of it may answer 200 to all OPTIONS (section 4.2).
func ConsentOf(x Exchange, origin string) Consent {
	if x.Answer == nil {
		return Consent{Problem: x.why()}
	}
	said, rate := x.Answer.Header.Values(allowedOrigin), x.Answer.Header.Values(allowedRate)
	switch {
	case len(said) == 0:
		return Consent{Problem: fmt.Sprintf("it answered %d without the header WebHook-Allowed-Origin", x.Status)}
	case len(said) > 1 || said[0] != "*" && !strings.EqualFold(said[0], origin):
		return Consent{Problem: fmt.Sprintf("its WebHook-Allowed-Origin is neither * nor %q", origin)}
	case len(rate) == 0:
		return Consent{Given: true}
	case len(rate) == 1 && rate[0] == "*":
		return Consent{Given: true}
	}
	n, err := strconv.Atoi(rate[0])
	if len(rate) > 1 || err != nil || n <= 0 || rate[0][0] == '+' {
		return Consent{Problem: "its WebHook-Allowed-Rate is neither * nor a number of requests a minute"}
	}
	return Consent{Given: true, PerMinute: min(n, maxRate)}
}
