// Package awsses hands notifications over by email to Amazon SES.
package awsses

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/exchange"
	"github.com/efferent/efferent/internal/channel/mailbox"
	"github.com/efferent/efferent/internal/pace"
)

// API is what sending takes.
type API interface {
	SendEmail(context.Context, *sesv2.SendEmailInput, ...func(*sesv2.Options)) (*sesv2.SendEmailOutput, error)
}

// timeout bounds one request as a whole.
const timeout = 10 * time.Second

// Tag is the name of the message tag that carries the notification's id to
// SES's events.
const Tag = "efferent-id"

// Sender sends from one address or domain that SES has verified.
type Sender struct {
	api  API
	from string
	rate pace.Rate
}

// New returns the sender for c.From. It makes one request per Send: a retry
// of the SDK's could send twice. The request's time is Send's own.
func New(config aws.Config, c channel.EmailConfig) *Sender {
	return Over(sesv2.NewFromConfig(config, func(o *sesv2.Options) {
		o.RetryMaxAttempts = 1
		if client, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			o.HTTPClient = client.WithTimeout(0)
		}
	}), c)
}

// Over is New over an API of the caller's.
func Over(api API, c channel.EmailConfig) *Sender {
	return &Sender{api: api, from: c.From, rate: pace.PerSecond(c.RatePerSecond)}
}

// Limit is that of the account in this region ("Service quotas in Amazon SES").
func (s *Sender) Limit(string) channel.Limit { return channel.Limit{Key: "ses", Rate: s.rate} }

// Send hands h over once.
//
// It gives SES the parts of the mail, not the mail itself: SES sets Message-ID
// and Date anyway, whatever a raw mail says ("Amazon SES header fields"), so a
// raw one would not be any easier to tell from its second copy.
func (s *Sender) Send(ctx context.Context, h channel.Handover) channel.Outcome {
	if refused, ok := channel.CheckEmail(h); !ok {
		return refused
	}
	from, refused, ok := s.addresses(&h)
	if !ok {
		return refused
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx, connected := exchange.Watch(ctx)
	out, err := s.api.SendEmail(ctx, input(from, h))
	if err != nil {
		return failed(err, connected())
	}
	return channel.Outcome{ProviderID: aws.ToString(out.MessageId), Status: http.StatusOK}
}

// addresses writes the sender and h's recipient in ASCII: domains in A-labels,
// the name in encoded words. SES takes nothing else: it knows no SMTPUTF8
// (Destination, in SES's API reference).
func (s *Sender) addresses(h *channel.Handover) (from string, refused channel.Outcome, ok bool) {
	const ascii = "must have only ASCII before the @ for SES"
	sender, err := mailbox.Parse(s.from)
	if err == nil && mailbox.NeedsUTF8(sender) {
		err = errors.New(ascii)
	}
	if err != nil {
		return "", channel.Failed(channel.Configuration, 0, "SES: from "+err.Error()+": check it in the secret "+channel.EmailSecret), false
	}
	to, err := mailbox.Parse(h.Recipient)
	if err == nil && mailbox.NeedsUTF8(to) {
		err = errors.New(ascii)
	}
	if err != nil {
		return "", channel.Failed(channel.Permanent, 0, "SES: the recipient "+err.Error()), false
	}
	h.Recipient = to.Address
	if mailbox.IsASCII(s.from) { // as it was written
		return s.from, channel.Outcome{}, true
	}
	return sender.String(), channel.Outcome{}, true
}

func input(from string, h channel.Handover) *sesv2.SendEmailInput {
	utf8 := func(s string) *types.Content { return &types.Content{Data: &s, Charset: aws.String("UTF-8")} }
	m := &types.Message{Subject: utf8(h.Subject), Body: &types.Body{Text: utf8(h.Body)}}
	m.Headers = []types.MessageHeader{{Name: aws.String("Auto-Submitted"), Value: aws.String("auto-generated")}}
	if h.ListUnsubscribe != "" {
		for name, value := range channel.UnsubscribeHeaders(h.ListUnsubscribe) {
			m.Headers = append(m.Headers, types.MessageHeader{Name: &name, Value: &value})
		}
	}
	return &sesv2.SendEmailInput{
		FromEmailAddress: &from, Destination: &types.Destination{ToAddresses: []string{h.Recipient}},
		Content:   &types.EmailContent{Simple: m},
		EmailTags: []types.MessageTag{{Name: aws.String(Tag), Value: &h.ID}},
	}
}

// quotaWait is how long to wait where the day's quota is used up ("Daily message quota
// exceeded"): it is that of the last 24 hours, so that some of it comes back all the
// time.
const quotaWait = 10 * time.Minute

// classes of the errors that SendEmail and every AWS service answer with
// (SendEmail, errors; "Common error types"; "Errors related to the sending
// quotas for your Amazon SES account"). A suppressed address is no error: SES
// takes the mail and reports it in its events.
var classes = map[string]channel.Class{
	"BadRequestException": channel.Permanent,
	"ValidationException": channel.Permanent,
	// MessageRejected is an unverified sender, or a recipient in the sandbox, or
	// content: all but the last wait for an operator ("Amazon SES email sending
	// errors").
	"MessageRejected":                    channel.Configuration,
	"MailFromDomainNotVerifiedException": channel.Configuration,
	"AccountSuspendedException":          channel.Configuration,
	"SendingPausedException":             channel.Configuration,
	"NotFoundException":                  channel.Configuration,
	"LimitExceededException":             channel.Limited,
	"TooManyRequestsException":           channel.Limited,
	"ThrottlingException":                channel.Limited,
	"Throttling":                         channel.Limited,
	"RequestThrottled":                   channel.Limited,
}

func failed(err error, connected bool) channel.Outcome {
	var api smithy.APIError
	var answer *smithyhttp.ResponseError
	status := 0
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	if !errors.As(err, &api) {
		return lost(err, connected, status)
	}
	class, known := classes[api.ErrorCode()]
	switch {
	case known:
	case status == http.StatusTooManyRequests:
		class = channel.Limited
	case status >= http.StatusInternalServerError:
		class = channel.Transient
	default:
		class = channel.Configuration // credentials, the role, or the endpoint
	}
	o := channel.Failed(class, status, "SES: "+api.ErrorCode())
	if class == channel.Limited && strings.Contains(strings.ToLower(api.ErrorMessage()), "daily") {
		o.RetryAfter = quotaWait
	}
	return o.Saying(api.ErrorCode() + ": " + api.ErrorMessage())
}

// lost is the outcome without an answer that can be read.
func lost(err error, connected bool, status int) channel.Outcome {
	var sending *smithyhttp.RequestSendError
	if !connected && !errors.As(err, &sending) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return channel.Outcome{Class: channel.Configuration, Reason: "SES: the request could not be made: check the region and the credentials"}
	}
	o := channel.Lost("SES", connected, err)
	o.Status = status
	return o
}
