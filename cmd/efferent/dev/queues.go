package dev

import (
	"context"
	"fmt"

	"github.com/efferent/efferent/cmd/efferent/ownqueues"
	"github.com/efferent/efferent/cmd/efferent/reach"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/settings"
)

// Account is the account that the local endpoint speaks for.
const Account = "000000000000"

// QueueURL is where a queue of dev is.
func QueueURL(awsURL, name string) string { return awsURL + "/" + Account + "/" + name }

// QueueARN is the ARN of a queue of dev's.
func QueueARN(name string) string {
	return "arn:aws:sqs:" + reach.DevRegion + ":" + Account + ":" + name
}

// reportsPair is that of delivery reports, which not every deployment has.
func reportsPair(maxReceives int) ownqueues.Pair {
	return ownqueues.Pair{Name: settings.ReportsQueue, Failures: deadletter.ReportFailures, Receives: maxReceives}
}

// devQueues are those of dev.
func devQueues() []string {
	return append(ownqueues.Names(), settings.ReportsQueue, deadletter.ReportFailures, settings.OutcomesQueue)
}

// CreateQueues makes dev's queues with the attributes of a deployment. Those that are
// there already stay as they are, but for their redrive policy: who
// handles a message drains it by the same count that SQS moves it by.
func CreateQueues(ctx context.Context, api ownqueues.MakeAPI, maxReceives int) error {
	m := ownqueues.Maker{API: api, Receives: maxReceives, Update: []string{ownqueues.RedrivePolicy}, Settle: func(context.Context) {}}
	_, err := m.All(ctx)
	if err == nil {
		_, err = m.Pair(ctx, reportsPair(maxReceives))
	}
	if err == nil {
		_, _, err = m.Ensure(ctx, settings.OutcomesQueue, nil)
	}
	return err
}

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
