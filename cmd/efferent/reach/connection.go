package reach

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/logging"

	"github.com/efferent/efferent/cmd/efferent/console"
)

// AWSFlags say which AWS a command speaks to.
type AWSFlags struct {
	Dev         bool   `help:"Speak to the efferent dev of this machine."`
	EndpointURL string `name:"endpoint-url" env:"AWS_ENDPOINT_URL" placeholder:"URL" help:"Speak to this AWS endpoint instead of AWS itself."`
}

// QueueFlags say which stack's queues a command works with. Secrets have the
// same names in every stack.
type QueueFlags struct {
	AWSFlags
	Prefix string `env:"EFFERENT_PREFIX" placeholder:"P-" help:"What the stack puts before its queues' names."`
}

// Config is the caller's own AWS configuration, or dev's with --dev.
func (f *AWSFlags) Config(ctx context.Context) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{quiet}
	if f.Dev {
		options = append(options, config.WithRegion(DevRegion),
			config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("dev", "dev", "")))
	}
	if endpoint := f.endpoint(); endpoint != "" {
		options = append(options, config.WithBaseEndpoint(endpoint))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return c, fmt.Errorf("AWS configuration: %w", err)
	}
	if c.Region == "" {
		return c, errors.New("no AWS region is configured: set AWS_REGION, or use --dev for the efferent dev of this machine")
	}
	c.APIOptions = append(c.APIOptions, f.explaining)
	return c, nil
}

// quiet leaves out what the SDK would print between a command's own lines.
func quiet(o *config.LoadOptions) error {
	o.Logger = logging.Nop{}
	return nil
}

// endpoint is the AWS endpoint that was named; empty for AWS itself.
func (f *AWSFlags) endpoint() string {
	if f.EndpointURL == "" && f.Dev {
		return "http://" + DevAWS
	}
	return f.EndpointURL
}

func (f *AWSFlags) sqs(ctx context.Context) (*sqs.Client, error) {
	c, err := f.Config(ctx)
	return sqs.NewFromConfig(c), err
}

// Secrets is a client of Secrets Manager.
func (f *AWSFlags) Secrets(ctx context.Context) (*secretsmanager.Client, error) {
	c, err := f.Config(ctx)
	return secretsmanager.NewFromConfig(c), err
}

// queueURL finds one of the stack's queues.
func (f *QueueFlags) queueURL(ctx context.Context, client *sqs.Client, name string) (string, error) {
	out, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(f.Prefix + name)})
	if err != nil {
		return "", f.missingQueue(ctx, client, name, fmt.Errorf("find the queue %s%s: %w", f.Prefix, name, err))
	}
	return aws.ToString(out.QueueUrl), nil
}

// EndpointHint is how the AWS CLI is told the same place.
func (f *AWSFlags) EndpointHint() string {
	if f.endpoint() == "" {
		return ""
	}
	return " --endpoint-url " + console.ShellWord(f.endpoint())
}

// Put sends a message to one of the stack's queues and returns its id. Messages
// of a tenant are a group of a fair queue.
func (f *QueueFlags) Put(ctx context.Context, queue, text, tenant string) (messageID string, err error) {
	client, err := f.sqs(ctx)
	if err != nil {
		return "", err
	}
	url, err := f.queueURL(ctx, client, queue)
	if err != nil {
		return "", err
	}
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &text}
	if tenant != "" {
		in.MessageGroupId = &tenant
	}
	out, err := client.SendMessage(ctx, in)
	if err != nil {
		return "", fmt.Errorf("send: %w", err)
	}
	return aws.ToString(out.MessageId), nil
}

// The addresses that dev serves on unless it is told otherwise, and where the
// other commands look for it with --dev.
const (
	DevAWS  = "127.0.0.1:4566"
	DevHTTP = "127.0.0.1:8080"
)

// DevRegion is the region that dev speaks for.
const DevRegion = "us-east-1"

// Again is a command of this program for the same queues.
func (f *QueueFlags) Again(command, rest string) string {
	text := "efferent " + command
	if f.Dev {
		text += " --dev"
	}
	if f.EndpointURL != "" && f.EndpointURL != os.Getenv("AWS_ENDPOINT_URL") {
		text += " --endpoint-url " + f.EndpointURL
	}
	if f.Prefix != "" && f.Prefix != os.Getenv("EFFERENT_PREFIX") {
		text += " --prefix " + f.Prefix
	}
	return strings.TrimSpace(text + " " + rest)
}
