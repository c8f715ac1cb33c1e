// Package awssms hands notifications over by SMS to AWS End User Messaging.
package awssms

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	sms "github.com/aws/aws-sdk-go-v2/service/pinpointsmsvoicev2"
	"github.com/aws/aws-sdk-go-v2/service/pinpointsmsvoicev2/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/exchange"
	"github.com/efferent/efferent/internal/pace"
)

// API is what sending takes.
type API interface {
	SendTextMessage(context.Context, *sms.SendTextMessageInput, ...func(*sms.Options)) (*sms.SendTextMessageOutput, error)
}

// timeout bounds one request as a whole.
const timeout = 10 * time.Second

// ContextKey is the key under which AWS's events carry the notification's id.
const ContextKey = "efferent-id"

// Sender sends from one origination identity.
type Sender struct {
	api      API
	identity string
	budget   int // segments
	rate     pace.Rate
}

// New returns the sender for c.OriginationIdentity. It makes one request per
// Send, each on a connection of its own: a retry of the SDK's could send
// twice, and on a kept connection more outcomes would be unknown. The request's
// time is Send's own: one that is cut short is one more.
func New(config aws.Config, c channel.SMSConfig) *Sender {
	return Over(sms.NewFromConfig(config, func(o *sms.Options) {
		o.RetryMaxAttempts = 1
		o.HTTPClient = itsOwn(config.HTTPClient)
	}), c)
}

// Over is New over an API of the caller's.
func Over(api API, c channel.SMSConfig) *Sender {
	return &Sender{api: api, identity: c.OriginationIdentity, budget: c.MaxSegments, rate: channel.RateOf(c.RatePerSecond)}
}

// itsOwn keeps no connection, and has no time-out. It leaves a client alone that
// is not the SDK's.
func itsOwn(c aws.HTTPClient) aws.HTTPClient {
	if c == nil {
		c = awshttp.NewBuildableClient()
	}
	if b, ok := c.(*awshttp.BuildableClient); ok {
		return b.WithTimeout(0).WithTransportOptions(func(t *http.Transport) { t.DisableKeepAlives = true })
	}
	return c
}

// Limit is that of the origination identity, which the account has in this region.
func (s *Sender) Limit(string) channel.Limit {
	return channel.Limit{Key: channel.LimitKey("end-user-messaging", s.identity), Rate: s.rate}
}

// Send hands h over once.
func (s *Sender) Send(ctx context.Context, h channel.Handover) channel.Outcome {
	if refused, ok := channel.CheckSMS(h, s.budget); !ok {
		return refused
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx, connected := exchange.Watch(ctx)
	out, err := s.api.SendTextMessage(ctx, &sms.SendTextMessageInput{
		DestinationPhoneNumber: &h.Recipient, MessageBody: aws.String(channel.SMSText(h.Subject, h.Body)),
		OriginationIdentity: &s.identity, MessageType: types.MessageTypeTransactional,
		Context: map[string]string{ContextKey: h.ID},
	})
	if err != nil {
		return refused(err, connected())
	}
	return channel.Outcome{ProviderID: aws.ToString(out.MessageId), Status: http.StatusOK}
}

// refused reads SendTextMessage's errors (its reference page, and the reasons
// of each in the SDK's types).
func refused(err error, connected bool) channel.Outcome {
	var api smithy.APIError
	var answer *smithyhttp.ResponseError
	status := 0
	if errors.As(err, &answer) {
		status = answer.HTTPStatusCode()
	}
	if !errors.As(err, &api) {
		return lost(err, connected, status)
	}
	class, reason := classOf(api)
	if class == "" {
		class = byStatus(status)
	}
	o := channel.Outcome{Class: class, Status: status, Reason: "End User Messaging: " + api.ErrorCode()}
	if reason != "" {
		o.Reason += " (" + reason + ")"
	}
	return o.Saying(api.ErrorCode() + ": " + api.ErrorMessage())
}

// classOf is empty for what only the status can tell.
func classOf(err smithy.APIError) (class channel.Class, reason string) {
	switch e := err.(type) {
	case *types.ConflictException:
		return conflicts(e.Reason), string(e.Reason)
	case *types.ValidationException:
		return invalid(e.Reason), string(e.Reason)
	case *types.AccessDeniedException:
		return channel.Configuration, string(e.Reason)
	case *types.ServiceQuotaExceededException: // the month's spend limit
		return channel.Configuration, string(e.Reason)
	case *types.ResourceNotFoundException:
		return channel.Configuration, string(e.ResourceType)
	case *types.InternalServerException:
		return channel.Unknown, ""
	case *types.ThrottlingException:
		return channel.Limited, ""
	}
	return "", ""
}

// conflicts: most are about the origination identity's state.
func conflicts(r types.ConflictExceptionReason) channel.Class {
	switch r {
	case types.ConflictExceptionReasonDestinationPhoneNumberOptedOut:
		return channel.OptedOut
	case types.ConflictExceptionReasonDestinationPhoneNumberBlockedByProtectNumberOverride,
		types.ConflictExceptionReasonDestinationCountryBlockedByProtectConfiguration:
		return channel.Permanent
	}
	return channel.Configuration
}

// invalid: most are about the number or the text.
func invalid(r types.ValidationExceptionReason) channel.Class {
	switch r {
	case types.ValidationExceptionReasonInvalidArn, types.ValidationExceptionReasonResourceNotAccessible,
		types.ValidationExceptionReasonSenderIdNotRegistered, types.ValidationExceptionReasonSenderIdNotSupported,
		types.ValidationExceptionReasonSenderIdRequiresRegistration, types.ValidationExceptionReasonChannelNotEnabled,
		types.ValidationExceptionReasonCountryNotEnabled:
		return channel.Configuration
	}
	return channel.Permanent
}

func byStatus(status int) channel.Class {
	switch {
	case status >= http.StatusInternalServerError, status == 0:
		return channel.Unknown
	case status == http.StatusTooManyRequests:
		return channel.Limited
	}
	// The services' common errors are 400s too ("Common error types"): a
	// signature or a token that is refused is nobody's number's fault.
	return channel.Configuration
}

// lost is the outcome without an answer that can be read.
func lost(err error, connected bool, status int) channel.Outcome {
	var sending *smithyhttp.RequestSendError
	if !connected && !errors.As(err, &sending) && !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return channel.Outcome{Class: channel.Configuration, Reason: "End User Messaging: the request could not be made: check the region and " +
			"the credentials"}
	}
	return channel.Lost("End User Messaging", connected, status, err)
}
