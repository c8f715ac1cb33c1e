package channel

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jonboulle/clockwork"
)

// DefaultSegments is the most SMS that one notification may take unless the
// configuration says otherwise.
const DefaultSegments = 10

// CheckSMS returns the outcome of a hand-over that must not be made: an
// address or a text that no provider takes, or more SMS than the budget. ok is
// true when nothing is wrong.
func CheckSMS(h Handover, budget int) (refused Outcome, ok bool) {
	if problem := CheckRecipient(SMS, h.Recipient); problem != "" {
		return failed(Permanent, 0, "SMS: the recipient "+problem), false
	}
	if problem := CheckText(SMS, h.Subject, h.Body); problem != "" {
		return failed(Permanent, 0, "SMS: the text "+problem), false
	}
	if n := Segments(SMSText(h.Subject, h.Body)); n > budget {
		return failed(Permanent, 0, fmt.Sprintf("SMS: the text takes %d segments, and the budget is %d", n, budget)), false
	}
	return Outcome{}, true
}

// Twilio sends SMS by Twilio's Messages resource.
type Twilio struct {
	c     SMSConfig
	rt    http.RoundTripper
	clock clockwork.Clock
}

// NewTwilio returns the sender for c's Twilio account. Give it a transport
// that keeps no connections (NewTransport): on a kept one, more outcomes would
// be unknown.
func NewTwilio(c SMSConfig, rt http.RoundTripper, clock clockwork.Clock) *Twilio {
	return &Twilio{c: c, rt: rt, clock: clock}
}

// Send hands h over as one message of as many segments as it takes.
func (t *Twilio) Send(ctx context.Context, h Handover) Outcome {
	if refused, ok := CheckSMS(h, t.c.MaxSegments); !ok {
		return refused
	}
	form := url.Values{"To": {h.Recipient}, "Body": {SMSText(h.Subject, h.Body)}}
	if t.c.MessagingServiceSID != "" {
		form.Set("MessagingServiceSid", t.c.MessagingServiceSID)
	} else {
		form.Set("From", t.c.FromNumber)
	}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}
	header.Set("Authorization", basicAuth(t.c.AccountSID, t.c.AuthToken))
	to := t.c.BaseURL + "/2010-04-01/Accounts/" + url.PathEscape(t.c.AccountSID) + "/Messages.json"
	x := post(ctx, t.rt, "Twilio", to, header, []byte(form.Encode()))
	if x.lost != nil {
		return *x.lost
	}
	return twilioOutcome(x.status, x.body, retryAfter(x.header, t.clock.Now()))
}

func basicAuth(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

// twilioAnswer is a created message, or an error ("Messages resource";
// "Twilio's response", exceptions).
type twilioAnswer struct {
	SID       string `json:"sid"`
	ErrorCode *int   `json:"error_code"`
	Code      int    `json:"code"`
	// A message's status is a word; an error's is the HTTP status again.
	Status any `json:"status"`
}

func twilioOutcome(status int, body []byte, after time.Duration) Outcome {
	var a twilioAnswer
	if json.Unmarshal(body, &a) != nil {
		a = twilioAnswer{}
	}
	switch {
	case status >= 500 || status == http.StatusRequestTimeout:
		return failed(Unknown, status, "Twilio: it answered "+strconv.Itoa(status)+": the SMS may have been taken")
	case status >= 200 && status < 300:
		return twilioCreated(status, a)
	case status < 400:
		return failed(Configuration, status, "Twilio: it answered "+strconv.Itoa(
			status)+", a redirect: check base_url in the secret efferent/twilio")
	}
	o := twilioRefused(status, a.Code)
	if o.Class == Transient {
		o.RetryAfter = after
	}
	return o
}

// twilioCreated reads what was created. Twilio numbers a message that it could
// only create as failed too.
func twilioCreated(status int, a twilioAnswer) Outcome {
	if a.SID == "" {
		return failed(Unknown, status, "Twilio: it answered "+strconv.Itoa(status)+" without a sid: the SMS may have been taken")
	}
	word, _ := a.Status.(string)
	switch strings.ToLower(word) {
	case "failed", "undelivered", "canceled":
	default:
		return sent(a.SID, status)
	}
	code := 0
	if a.ErrorCode != nil {
		code = *a.ErrorCode
	}
	o := twilioRefused(status, code)
	o.ProviderID = a.SID
	return o
}

// twilioRefused is the outcome of an answer that says the SMS was not taken.
func twilioRefused(status, code int) Outcome {
	class, known := twilioErrors[code]
	switch {
	case known:
	case status == http.StatusTooManyRequests:
		class = Transient
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound:
		class = Configuration
	default:
		class = Permanent
	}
	reason := "Twilio: refused with " + strconv.Itoa(status)
	if code != 0 {
		reason = "Twilio: error " + strconv.Itoa(code) + " (twilio.com/docs/api/errors/" + strconv.Itoa(code) + ")"
	}
	return failed(class, status, reason)
}

// twilioErrors is the class of each error of creating a message whose status
// does not say it ("Error and Warning Dictionary"). The others are permanent.
// A request that was answered 429 was never processed (20429).
var twilioErrors = map[int]Class{
	20429: Transient, // too many requests
	21611: Transient, // the sender's queue is full: nothing was created
	21730: Transient, // maintenance
	30001: Transient, // the sender's queue is full, of a message created as failed

	21610: OptedOut, // the recipient answered STOP

	20003: Configuration, // authentication
	20005: Configuration, // account not active
	20404: Configuration, // no such account
	20008: Configuration, // test credentials
	21212: Configuration, // From: not a number
	21408: Configuration, // the country is not enabled for the account
	21601: Configuration, // From: can't send SMS
	21603: Configuration, // From: missing
	21606: Configuration, // From: can't send SMS, or not to there
	21608: Configuration, // a trial account sends to verified numbers only
	21659: Configuration, // From: not a Twilio number
	21660: Configuration, // From: another account's
	21661: Configuration, // From: can't send SMS
	21701: Configuration, // no such messaging service
	21703: Configuration, // a messaging service without numbers
	21704: Configuration, // the same
	21705: Configuration, // a messaging service that is not one
	30002: Configuration, // account suspended
	30032: Configuration, // toll-free number not verified
	30034: Configuration, // number not registered (A2P 10DLC)

	21211: Permanent, // To: not a number
	21217: Permanent, // To: not a number
	21265: Permanent, // To: a short code
	21266: Permanent, // To is From
	21602: Permanent, // no text
	21612: Permanent, // To can't be reached from From
	21614: Permanent, // To: not a mobile number
	21617: Permanent, // text too long
	21635: Permanent, // To: a landline
	21658: Permanent, // a parameter is too long
	30003: Permanent, // unreachable
	30004: Permanent, // blocked
	30005: Permanent, // unknown
	30006: Permanent, // landline
	30007: Permanent, // filtered by the carrier
}
