package main

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	awseventbridge "github.com/efferent/efferent/internal/aws/eventbridge"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/settings"
)

// localOutcomes tells the queue outcomes, unless the environment wants nobody told; or
// the queue of events, where a tenant's endpoints are to get them.
func localOutcomes(getenv func(string) string, queues awssqs.SendBatchAPI, url func(name string) (string, error)) (*outcome.Teller, error) {
	if at := getenv(settings.Outcomes); at != "" && at != settings.None {
		return nil, fmt.Errorf("environment variable %s: efferent dev tells its own queue %s; unset it, or set it to %s", settings.Outcomes,
			settings.OutcomesQueue, settings.None)
	}
	p, err := settings.ReadOutcomes(getenv)
	if err != nil || getenv(settings.Outcomes) == settings.None {
		return nil, err
	}
	queue := settings.OutcomesQueue
	if p.Tenant != "" {
		queue = settings.EventsQueue
	}
	if p.QueueURL, err = url(queue); err != nil {
		return nil, err
	}
	return p.Teller(awssqs.ToOutcomes(queues), nil), nil
}

// awsOutcomes tells what the environment says.
func awsOutcomes(getenv func(string) string, config aws.Config) (*outcome.Teller, error) {
	p, err := settings.ReadOutcomes(getenv)
	if err != nil {
		return nil, err
	}
	return p.Teller(awssqs.ToOutcomes(sqs.NewFromConfig(config)), awseventbridge.ToBus(config)), nil
}
