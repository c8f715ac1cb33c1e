package worker

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/internal/aws/fromenv"
)

// tried bounds each try of an AWS call, as in a Lambda function.
func tried(c aws.Config) aws.Config {
	if c.HTTPClient == nil {
		c.HTTPClient = awshttp.NewBuildableClient()
	}
	if client, ok := c.HTTPClient.(*awshttp.BuildableClient); ok {
		c.HTTPClient = client.WithTimeout(fromenv.TryTime)
	}
	return c
}

// consumer is SQS as a consumer calls it: a long poll takes longer than any
// other call.
type consumer struct {
	*sqs.Client
	polls *sqs.Client
}

func newConsumer(c aws.Config) consumer {
	return consumer{sqs.NewFromConfig(c), sqs.NewFromConfig(c, func(o *sqs.Options) {
		if client, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
			o.HTTPClient = client.WithTimeout(0)
		}
	})}
}

// mostReceived is how many messages SQS hands out at a time ("ReceiveMessage" in
// the API reference); dev's own queues hand out more.
const mostReceived = 10

// ReceiveMessage has no time but its context's.
func (c consumer) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, o ...func(*sqs.Options)) (
	*sqs.ReceiveMessageOutput, error) {
	in.MaxNumberOfMessages = min(in.MaxNumberOfMessages, mostReceived)
	return c.polls.ReceiveMessage(ctx, in, o...)
}
