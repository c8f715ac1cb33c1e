// Package awseventbridge tells an EventBridge bus of outcomes.
package awseventbridge

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/efferent/efferent/internal/outcome"
)

// PutAPI is what telling a bus takes.
type PutAPI interface {
	PutEvents(context.Context, *sdk.PutEventsInput, ...func(*sdk.Options)) (*sdk.PutEventsOutput, error)
}

// most is how many entries a request has ("PutEvents" in the API reference). Ten
// outcomes come to a tenth of the bytes that it may have, at most.
const most = 10

// Bus is an outcome.Sink. An outcome's kind is the detail-type of its event there, and
// the CloudEvent the detail. It may be used by many goroutines at once.
type Bus struct {
	API PutAPI
	// Name is the bus's name or ARN.
	Name string
}

// ToBus makes a place's Bus by a configuration.
func ToBus(config aws.Config) func(outcome.Place) outcome.Sink {
	return func(p outcome.Place) outcome.Sink { return &Bus{API: sdk.NewFromConfig(config), Name: p.Bus} }
}

// Tell is as outcome.Sink has it.
func (b *Bus) Tell(ctx context.Context, events []outcome.Event) error {
	if err := outcome.InBatches(ctx, events, most, b.put); err != nil {
		return fmt.Errorf("put to %s: %w", b.Name, err)
	}
	return nil
}

// put puts what one request takes. What went wrong with an entry is in its place of
// the answer ("Sending events with PutEvents in Amazon EventBridge").
func (b *Bus) put(ctx context.Context, events []outcome.Event) (refused []outcome.Event, why string, err error) {
	entries := make([]types.PutEventsRequestEntry, len(events))
	for i, e := range events {
		detail, err := e.JSON()
		if err != nil {
			return nil, "", err
		}
		entries[i] = types.PutEventsRequestEntry{EventBusName: &b.Name, Source: aws.String(outcome.Source),
			DetailType: aws.String(string(e.Kind)), Detail: aws.String(string(detail)), Time: &e.Time}
	}
	out, err := b.API.PutEvents(ctx, &sdk.PutEventsInput{Entries: entries})
	if err != nil {
		return nil, "", err
	}
	if len(out.Entries) != len(events) {
		return nil, "", fmt.Errorf("%d entries were answered of %d", len(out.Entries), len(events))
	}
	for i, entry := range out.Entries {
		if entry.ErrorCode != nil || entry.EventId == nil {
			refused, why = append(refused, events[i]), aws.ToString(entry.ErrorCode)
		}
	}
	return refused, why, nil
}
