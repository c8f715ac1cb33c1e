package reach

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// explainedError is an error of AWS, after what to do about it.
type explainedError struct {
	advice string
	err    error
}

func (e explainedError) Error() string { return e.advice + ": " + e.err.Error() }
func (e explainedError) Unwrap() error { return e.err }

// explaining has the errors of all of a configuration's clients explained.
func (f *AWSFlags) explaining(stack *middleware.Stack) error {
	return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("Explain", func(ctx context.Context, in middleware.InitializeInput,
		next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleInitialize(ctx, in)
		return out, metadata, f.explained(ctx, err)
	}), middleware.Before)
}

// explained adds to an error what to do about it, where that is known.
func (f *AWSFlags) explained(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	var refused smithy.APIError
	advice := ""
	if errors.As(err, &refused) {
		advice = adviceOn[refused.ErrorCode()]
	} else {
		advice = f.adviceOnSilence(err)
	}
	if advice == "" {
		return err
	}
	return explainedError{advice, err}
}

const (
	signIn     = "the AWS credentials have expired; sign in again (aws sso login, say), or set AWS_PROFILE to others"
	notKnown   = "AWS does not know these credentials; `aws sts get-caller-identity` shows whose they are: set AWS_PROFILE, or sign in"
	badClock   = "the AWS credentials' signature does not match; is the secret key whole, and is this machine's clock right?"
	notAllowed = "these AWS credentials may not do this; docs/deploy.md says what they must be allowed"
	noKeys     = "no AWS credentials; set AWS_PROFILE, sign in, or use --dev for the efferent dev of this machine"
)

// adviceOn is by the error codes of the services ("Common Error Types" in their API
// references; a table's or a bucket's has its own names).
var adviceOn = map[string]string{
	"ExpiredToken": signIn, "ExpiredTokenException": signIn, "RequestExpired": signIn, "TokenRefreshRequired": signIn,
	"InvalidClientTokenId": notKnown, "UnrecognizedClientException": notKnown, "InvalidAccessKeyId": notKnown,
	"InvalidToken": notKnown, "AuthFailure": notKnown, "InvalidSecurity": notKnown,
	"SignatureDoesNotMatch": badClock, "InvalidSignatureException": badClock, "RequestTimeTooSkewed": badClock,
	"AccessDenied": notAllowed, "AccessDeniedException": notAllowed,
}

// adviceOnSilence is about a request that was not answered, or not even made.
func (f *AWSFlags) adviceOnSilence(err error) string {
	var dns *net.DNSError
	text := err.Error()
	switch {
	case strings.Contains(text, "get credentials: "): // the SDK has no type for it
		if strings.Contains(text, "expired") || strings.Contains(text, "InvalidGrantException") {
			return signIn
		}
		return noKeys
	case f.Dev:
		return "no efferent dev answers; start one, or say with --endpoint-url where it is"
	case errors.Is(err, syscall.ECONNREFUSED) && f.EndpointURL != "":
		return "nobody listens at --endpoint-url " + f.EndpointURL + " (AWS_ENDPOINT_URL); start it, or leave that out for AWS itself"
	case errors.As(err, &dns):
		return "there is no host " + dns.Name + "; is the region (AWS_REGION) or --endpoint-url right, and is this machine on the net?"
	}
	return ""
}

// toldError is an error of AWS in our own words.
type toldError struct {
	text string
	err  error
}

func (e toldError) Error() string { return e.text }
func (e toldError) Unwrap() error { return e.err }

// missingQueue says of a queue that is not there which others are.
func (f *QueueFlags) missingQueue(ctx context.Context, client *sqs.Client, name string, err error) error {
	var missing *types.QueueDoesNotExist
	if !errors.As(err, &missing) {
		return err
	}
	at := cmp.Or(f.endpoint(), "the region "+client.Options().Region)
	text := fmt.Sprintf("there is no queue %s%s at %s; ", f.Prefix, name, at)
	switch others := f.otherPrefixes(ctx, client, name); {
	case len(others) > 0:
		text += strings.Join(others, ", ") + ": set --prefix (EFFERENT_PREFIX) to that of the stack you mean"
	case f.Prefix != "":
		text += "is --prefix (EFFERENT_PREFIX) that of the stack, and are the region, account and AWS_ENDPOINT_URL its own?"
	default:
		text += "deploy Efferent there (docs/deploy.md), make the queues for a worker (efferent queues create), or set AWS_REGION, " +
			"AWS_PROFILE and --prefix to where they are; --dev is the efferent dev of this machine"
	}
	return toldError{text, err}
}

// otherPrefixes are up to three prefixes under which there is such a queue.
func (f *QueueFlags) otherPrefixes(ctx context.Context, client *sqs.Client, name string) (all []string) {
	list, err := client.ListQueues(ctx, &sqs.ListQueuesInput{MaxResults: aws.Int32(1000)})
	if err != nil {
		return nil // who may send may not be allowed to list
	}
	for _, url := range list.QueueUrls {
		queue := url[strings.LastIndex(url, "/")+1:]
		if prefix, ok := strings.CutSuffix(queue, name); ok && prefix != f.Prefix && len(all) < 3 {
			all = append(all, fmt.Sprintf("%s is there, whose prefix is %q", queue, prefix))
		}
	}
	return all
}
