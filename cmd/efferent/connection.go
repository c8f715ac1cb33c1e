package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go/logging"
)

// awsFlags say which AWS a command speaks to.
type awsFlags struct {
	Dev         bool   `help:"Speak to the efferent dev of this machine."`
	EndpointURL string `name:"endpoint-url" env:"AWS_ENDPOINT_URL" placeholder:"URL" help:"Speak to this AWS endpoint instead of AWS itself."`
}

// queueFlags say which stack's queues a command works with. Secrets have the
// same names in every stack.
type queueFlags struct {
	awsFlags
	Prefix string `env:"EFFERENT_PREFIX" placeholder:"P-" help:"What the stack puts before its queues' names."`
}

// config is the caller's own AWS configuration, or dev's with --dev.
func (f *awsFlags) config(ctx context.Context) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{quiet}
	if f.Dev {
		options = append(options, config.WithRegion(localRegion),
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
func (f *awsFlags) endpoint() string {
	if f.EndpointURL == "" && f.Dev {
		return "http://" + devAWS
	}
	return f.EndpointURL
}

func (f *awsFlags) sqs(ctx context.Context) (*sqs.Client, error) {
	c, err := f.config(ctx)
	return sqs.NewFromConfig(c), err
}

func (f *awsFlags) secrets(ctx context.Context) (*secretsmanager.Client, error) {
	c, err := f.config(ctx)
	return secretsmanager.NewFromConfig(c), err
}

// queueURL finds one of the stack's queues.
func (f *queueFlags) queueURL(ctx context.Context, client *sqs.Client, name string) (string, error) {
	out, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String(f.Prefix + name)})
	if err != nil {
		return "", f.missingQueue(ctx, client, name, fmt.Errorf("find the queue %s%s: %w", f.Prefix, name, err))
	}
	return aws.ToString(out.QueueUrl), nil
}
