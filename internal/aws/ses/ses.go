// Package awsses hands notifications over by email to Amazon SES.
package awsses

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
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
	"github.com/efferent/efferent/internal/report"
)

// API is what sending takes.
type API interface {
	SendEmail(context.Context, *sesv2.SendEmailInput, ...func(*sesv2.Options)) (*sesv2.SendEmailOutput, error)
}

// timeout bounds one request as a whole.
const timeout = 10 * time.Second

// Sender sends from addresses or domains that SES has verified.
type Sender struct {
	api API
	c   channel.EmailConfig
	// domain is that of SES's Message-IDs.
	domain string
	rate   pace.Rate
}

// New returns the sender for c.From. It makes one request per Send: a retry
// of the SDK's could send twice. The request's time is Send's own.
func New(config aws.Config, c channel.EmailConfig) *Sender {
	return Over(sesv2.NewFromConfig(config, func(o *sesv2.Options) {
		o.RetryMaxAttempts = 1
		if client, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			o.HTTPClient = client.WithTimeout(0)
		}
	}), c, config.Region)
}

// Over is New over an API of the caller's, in a region.
func Over(api API, c channel.EmailConfig, region string) *Sender {
	return &Sender{api: api, c: c, domain: messageDomain(region), rate: channel.RateOf(c.RatePerSecond)}
}

// Reports reports whether SES is told what to publish events by.
func (s *Sender) Reports() bool { return s.c.ConfigurationSet != "" }

// Limit is that of the account in this region ("Service quotas in Amazon SES").
func (s *Sender) Limit(string) channel.Limit { return channel.Limit{Key: "ses", Rate: s.rate} }

// messageDomain is what SES's Message-IDs end with ("Amazon SES header fields":
// email.amazonses.com in us-east-1, and the region's name elsewhere).
func messageDomain(region string) string {
	if region == "us-east-1" {
		region = "email"
	}
	return "@" + region + ".amazonses.com"
}

// Send hands h over once.
//
// It gives SES the parts of the mail, not the mail itself: SES sets Message-ID
// and Date anyway, whatever a raw mail says ("Amazon SES header fields"), so a
// raw one would not be any easier to tell from its second copy.
func (s *Sender) Send(ctx context.Context, h channel.Handover) channel.Outcome {
	if refused, ok := channel.CheckEmail(h); !ok {
		return refused
	}
	in, refused, ok := s.input(h)
	if !ok {
		return refused
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx, connected := exchange.Watch(ctx)
	out, err := s.api.SendEmail(ctx, in)
	if err != nil {
		return failed(err, connected())
	}
	return channel.Outcome{ProviderID: aws.ToString(out.MessageId), Status: http.StatusOK}
}

// input is h as SES takes it.
func (s *Sender) input(h channel.Handover) (in *sesv2.SendEmailInput, refused channel.Outcome, ok bool) {
	from, err := inASCII(s.c.Sender(h.Tenant))
	if err != nil {
		return nil, channel.Failed(channel.Configuration, 0, "SES: from "+err.Error()+": check it in the secret "+channel.EmailSecret), false
	}
	in = &sesv2.SendEmailInput{
		FromEmailAddress: &from, Destination: &types.Destination{}, Content: &types.EmailContent{Simple: s.message(h)},
		EmailTags: []types.MessageTag{{Name: aws.String(report.TagID), Value: &h.ID}},
	}
	if s.Reports() {
		in.ConfigurationSetName, in.EmailTags = &s.c.ConfigurationSet, tags(h)
	}
	var replyTo []string
	if h.ReplyTo != "" {
		replyTo = []string{h.ReplyTo}
	}
	for _, list := range []struct {
		what  string
		texts []string
		into  *[]string
	}{
		{"the recipient", append([]string{h.Recipient}, h.More...), &in.Destination.ToAddresses},
		{"an address in cc", h.CC, &in.Destination.CcAddresses}, {"an address in bcc", h.BCC, &in.Destination.BccAddresses},
		{"reply_to", replyTo, &in.ReplyToAddresses},
	} {
		for _, text := range list.texts {
			address, err := inASCII(text)
			if err != nil {
				return nil, channel.Failed(channel.Permanent, 0, "SES: "+list.what+" "+err.Error()), false
			}
			*list.into = append(*list.into, address)
		}
	}
	return in, channel.Outcome{}, true
}

// tags carry the attempt to SES's events.
func tags(h channel.Handover) (all []types.MessageTag) {
	for _, tag := range (report.Key{WebhookID: h.ID, MessageID: h.MessageID, Attempt: h.Attempt}).Tags() {
		all = append(all, types.MessageTag{Name: &tag[0], Value: &tag[1]})
	}
	return all
}

// inASCII writes an address in ASCII: the domain in A-labels, the name in encoded
// words. SES takes nothing else: it knows no SMTPUTF8 (Destination, in SES's API
// reference). What has a name and is ASCII stays as it was written.
func inASCII(text string) (string, error) {
	a, err := mailbox.Parse(text)
	switch {
	case err != nil:
		return "", err
	case mailbox.NeedsUTF8(a):
		return "", errors.New("must have only ASCII before the @ for SES")
	case mailbox.IsASCII(text):
		return text, nil
	case a.Name == "":
		return a.Address, nil
	}
	return a.String(), nil
}

func (s *Sender) message(h channel.Handover) *types.Message {
	utf8 := func(s string) *types.Content { return &types.Content{Data: &s, Charset: aws.String("UTF-8")} }
	m := &types.Message{Subject: utf8(h.Subject), Body: &types.Body{}}
	if h.Body != "" {
		m.Body.Text = utf8(h.Body)
	}
	if h.HTML != "" {
		m.Body.Html = utf8(h.HTML)
	}
	earlier := h.Thread
	if earlier != "" && !strings.Contains(earlier, "@") {
		earlier += s.domain
	}
	headers := channel.OwnHeaders(h, earlier)
	if h.ListUnsubscribe != "" {
		maps.Copy(headers, channel.UnsubscribeHeaders(h.ListUnsubscribe))
	}
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		m.Headers = append(m.Headers, types.MessageHeader{Name: &name, Value: aws.String(headers[name])})
	}
	for _, a := range h.Attachments {
		m.Attachments = append(m.Attachments, file(a))
	}
	return m
}

func file(a channel.Attachment) types.Attachment {
	f := types.Attachment{
		FileName: &a.Name, RawContent: a.Content, ContentType: aws.String(a.MediaType()),
		ContentDisposition:      types.AttachmentContentDispositionAttachment,
		ContentTransferEncoding: types.AttachmentContentTransferEncodingBase64,
	}
	if a.ContentID != "" {
		f.ContentDisposition, f.ContentId = types.AttachmentContentDispositionInline, &a.ContentID
	}
	return f
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
	return channel.Lost("SES", connected, status, err)
}
