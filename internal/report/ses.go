package report

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
)

// sesEvent is as much as we read of an event ("Contents of event data that Amazon SES
// publishes to Amazon SNS"). What an identity's own feedback notifications have instead
// of eventType is notificationType, and they have no tags.
type sesEvent struct {
	EventType        string    `json:"eventType"`
	NotificationType string    `json:"notificationType"`
	Mail             sesMail   `json:"mail"`
	Bounce           sesBounce `json:"bounce"`
	Complaint        struct {
		Recipients []sesRecipient `json:"complainedRecipients"`
		Type       string         `json:"complaintFeedbackType"`
		SubType    string         `json:"complaintSubType"`
		Timestamp  time.Time      `json:"timestamp"`
	} `json:"complaint"`
	Delivery struct {
		Recipients []string  `json:"recipients"`
		Timestamp  time.Time `json:"timestamp"`
	} `json:"delivery"`
	Reject struct {
		Reason string `json:"reason"`
	} `json:"reject"`
}

type sesMail struct {
	Timestamp   time.Time           `json:"timestamp"`
	Destination []string            `json:"destination"`
	Tags        map[string][]string `json:"tags"`
}

type sesBounce struct {
	Type       string         `json:"bounceType"`
	SubType    string         `json:"bounceSubType"`
	Recipients []sesRecipient `json:"bouncedRecipients"`
	Timestamp  time.Time      `json:"timestamp"`
}

type sesRecipient struct {
	Address    string `json:"emailAddress"`
	Status     string `json:"status"`
	Diagnostic string `json:"diagnosticCode"`
}

func decodeSES(body []byte) (Report, error) {
	var e sesEvent
	if err := json.Unmarshal(body, &e, lenient); err != nil {
		return Report{}, errors.New("it is an event of SES with fields of another kind than documented")
	}
	r := Report{Provider: SES, All: len(e.Mail.Destination)}
	known := true
	switch e.EventType + e.NotificationType {
	case "Delivery":
		r.State, r.At, r.Recipients = attempt.Arrived, e.Delivery.Timestamp, e.Delivery.Recipients
	case "Bounce":
		e.Bounce.into(&r)
	case "Complaint":
		e.complaint(&r)
	case "Reject": // SES found a virus
		r.State, r.At, r.Recipients = attempt.Undelivered, e.Mail.Timestamp, e.Mail.Destination
		r.Reason = "SES: rejected, " + word(strings.ReplaceAll(e.Reject.Reason, " ", "-"))
	case "Rendering Failure":
		r.State, r.At, r.Recipients = attempt.Undelivered, e.Mail.Timestamp, e.Mail.Destination
		r.Reason = "SES: the template could not be rendered"
	default: // Send, Open, Click, DeliveryDelay, Subscription, and what SES may add
		known = false
	}
	if r.Of = e.Mail.key(); !known || r.State == "" || r.Of == (Key{}) {
		return Report{}, ErrNothing
	}
	return r, r.check()
}

// key is of our own tags; zero where it is not our mail, or was sent without them.
func (m sesMail) key() (k Key) {
	for name, into := range map[string]*string{TagID: &k.WebhookID, TagMessage: &k.MessageID} {
		if values := m.Tags[name]; len(values) > 0 {
			*into = values[0]
		}
	}
	if values := m.Tags[TagAttempt]; len(values) > 0 {
		k.Attempt, _ = strconv.Atoi(values[0])
	}
	if k.MessageID == "" {
		return Key{}
	}
	return k
}

// into tells hard bounces by their type: Permanent is hard, Transient soft, and what SES
// could not tell is taken for soft ("Bounce types").
func (b sesBounce) into(r *Report) {
	r.State, r.At, r.Hard = attempt.Bounced, b.Timestamp, b.Type == "Permanent"
	r.OptedOut = b.SubType == "UnsubscribedRecipient"
	r.Reason = "SES: bounce, " + word(b.Type) + "/" + word(b.SubType)
	for n, who := range b.Recipients {
		if n == 0 && who.Status != "" {
			r.Reason += ", status " + word(who.Status)
		}
		if n == 0 {
			r.Response = message.Shorten(who.Diagnostic, attempt.ResponseLimit)
		}
		r.Recipients = append(r.Recipients, who.Address)
	}
}

// complaint is about all at one domain where several got the mail: nobody knows which
// of them it was. "not-spam" takes one back ("Complaint object").
func (e *sesEvent) complaint(r *Report) {
	if e.Complaint.Type == "not-spam" {
		return
	}
	r.State, r.At, r.OptedOut = attempt.Complained, e.Complaint.Timestamp, true
	r.Reason = "SES: complaint"
	for _, detail := range []string{e.Complaint.Type, e.Complaint.SubType} {
		if detail = word(detail); detail != "" {
			r.Reason += ", " + detail
		}
	}
	for _, who := range e.Complaint.Recipients {
		r.Recipients = append(r.Recipients, who.Address)
	}
}
