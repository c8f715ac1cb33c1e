package twilio

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/channel"
)

// message is a created message, or an error ("Messages resource";
// "Twilio's response", exceptions).
type message struct {
	SID       string `json:"sid"`
	ErrorCode *int   `json:"error_code"`
	Code      int    `json:"code"`
	// A message's status is a word; an error's is the HTTP status again.
	Status any `json:"status"`
}

func outcomeOf(status int, body []byte, after time.Duration) channel.Outcome {
	var a message
	if json.Unmarshal(body, &a) != nil {
		a = message{}
	}
	switch {
	case status >= 500 || status == http.StatusRequestTimeout:
		return channel.Failed(channel.Unknown, status, "Twilio: it answered "+strconv.Itoa(status)+": the SMS may have been taken")
	case status >= 200 && status < 300:
		return created(status, a)
	case status < 400:
		return channel.Failed(channel.Configuration, status, "Twilio: it answered "+strconv.Itoa(
			status)+", a redirect: check base_url in the secret efferent/twilio")
	}
	o := refused(status, a.Code)
	if o.Class == channel.Transient || o.Class == channel.Limited {
		o.RetryAfter = after
	}
	return o
}

// created reads what was created. Twilio numbers a message that it could
// only create as failed too.
func created(status int, a message) channel.Outcome {
	if a.SID == "" {
		return channel.Failed(channel.Unknown, status, "Twilio: it answered "+strconv.Itoa(status)+" without a sid: the SMS may have been taken")
	}
	word, _ := a.Status.(string)
	switch strings.ToLower(word) {
	case "failed", "undelivered", "canceled":
	default:
		return channel.Taken(a.SID, status)
	}
	code := 0
	if a.ErrorCode != nil {
		code = *a.ErrorCode
	}
	o := refused(status, code)
	o.ProviderID = a.SID
	return o
}

// refused is the outcome of an answer that says the SMS was not taken.
func refused(status, code int) channel.Outcome {
	class, known := errorClasses[code]
	switch {
	case known:
	case status == http.StatusTooManyRequests:
		class = channel.Limited
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired, status == http.StatusForbidden,
		status == http.StatusNotFound:
		class = channel.Configuration
	default:
		class = channel.Permanent
	}
	reason := "Twilio: refused with " + strconv.Itoa(status)
	if code != 0 {
		reason = "Twilio: error " + strconv.Itoa(code) + " (twilio.com/docs/api/errors/" + strconv.Itoa(code) + ")"
	}
	return channel.Failed(class, status, reason)
}
