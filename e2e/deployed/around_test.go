//go:build e2e

package deployed

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/e2e/scenario"
)

// around is a stack that scenarios run on, and what it was told of: a bus, whose
// events are published, and a queue, which hears of every outcome.
type around struct {
	*scenario.Stack
	api  *api
	book *book
}

// deployScenarios deploys the stack that scenarios run on, between a bus and a queue
// that are there before it.
func deployScenarios(t *testing.T, target *Target, config aws.Config) around {
	t.Helper()
	bus := choices["prefix"] + "bus"
	outcomes := makeAround(t, config, bus, choices["prefix"]+"outcomes")
	all := maps.Clone(choices)
	maps.Copy(all, map[string]string{"eventBus": bus, "eventSources": scenario.BusSource, "outcomeKinds": "*",
		"outcomes": fmt.Sprintf("arn:aws:sqs:%s:%s:%soutcomes", target.Region, target.Account, choices["prefix"])})
	s, a, b := deploy(t, target, config, all)
	s.Outcomes, s.PutEvent = outcomes, putsEvents(config, bus)
	return around{s, a, b}
}

// makeAround makes the bus and the queue until the test ends, and returns the queue's
// URL.
func makeAround(t *testing.T, config aws.Config, bus, queue string) *string {
	t.Helper()
	events, queues := eventbridge.NewFromConfig(config), sqs.NewFromConfig(config)
	if _, err := events.CreateEventBus(t.Context(), &eventbridge.CreateEventBusInput{Name: &bus}); err != nil {
		t.Fatal(err)
	}
	made, err := queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &queue})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), time.Minute)
		defer stop()
		_, err := events.DeleteEventBus(ctx, &eventbridge.DeleteEventBusInput{Name: &bus})
		_, err2 := queues.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: made.QueueUrl})
		if err := errors.Join(err, err2); err != nil {
			t.Error(err)
		}
	})
	return made.QueueUrl
}

// putsEvents puts events on a bus.
func putsEvents(config aws.Config, bus string) func(ctx context.Context, detailType, detail string) (string, error) {
	events := eventbridge.NewFromConfig(config)
	return func(ctx context.Context, detailType, detail string) (string, error) {
		out, err := events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
			{EventBusName: &bus, Source: aws.String(scenario.BusSource), DetailType: &detailType, Detail: &detail}}})
		if err != nil {
			return "", err
		}
		if e := out.Entries[0]; e.EventId == nil {
			return "", fmt.Errorf("the bus refused it: %s, %s", aws.ToString(e.ErrorCode), aws.ToString(e.ErrorMessage))
		}
		return *out.Entries[0].EventId, nil
	}
}
