package awssqs

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/outcome"
)

// Outcomes is an outcome.Sink that sends to a queue: one message for each, ten a
// request. It may be used by many goroutines at once.
type Outcomes struct {
	API SendBatchAPI
	URL string
	// Tenant, where it is set, is whose endpoints are to get them: the queue is that of
	// events, and each is published there.
	Tenant string
}

// ToOutcomes makes a place's Outcomes by a client.
func ToOutcomes(api SendBatchAPI) func(outcome.Place) outcome.Sink {
	return func(p outcome.Place) outcome.Sink { return &Outcomes{API: api, URL: p.QueueURL, Tenant: p.Tenant} }
}

// Tell is as outcome.Sink has it.
func (o *Outcomes) Tell(ctx context.Context, events []outcome.Event) error {
	if err := outcome.InBatches(ctx, events, batchLimit, o.send); err != nil {
		return fmt.Errorf("send to %s: %w", o.URL, err)
	}
	return nil
}

func (o *Outcomes) send(ctx context.Context, events []outcome.Event) (refused []outcome.Event, why string, err error) {
	entries := make([]types.SendMessageBatchRequestEntry, len(events))
	for i, e := range events {
		if entries[i], err = o.entry(batchIDs[i], e); err != nil {
			return nil, "", err
		}
	}
	out, err := o.API.SendMessageBatch(ctx, &sdk.SendMessageBatchInput{QueueUrl: &o.URL, Entries: entries})
	if err != nil {
		return nil, "", err
	}
	for _, f := range out.Failed {
		if i := slices.Index(batchIDs[:len(events)], aws.ToString(f.Id)); i >= 0 {
			refused = append(refused, events[i])
			why = aws.ToString(f.Code)
		}
	}
	return refused, why, nil
}

// entry is an event as a message. In a FIFO queue those of one tenant stay in order,
// and one that is told twice within five minutes is there once.
func (o *Outcomes) entry(id string, e outcome.Event) (m types.SendMessageBatchRequestEntry, err error) {
	b, err := e.JSON()
	if o.Tenant != "" {
		b, err = e.Published(o.Tenant)
		m.MessageGroupId = &o.Tenant
	}
	if strings.HasSuffix(o.URL, ".fifo") {
		m.MessageGroupId, m.MessageDeduplicationId = aws.String(groupOf(e)), &e.ID
	}
	m.Id, m.MessageBody = &id, aws.String(string(b))
	return m, err
}

// groupOf is a message group's id: a hash, since a tenant's name may have what SQS
// takes in none.
func groupOf(e outcome.Event) string { return "tenant-" + outcome.Hash(e.Tenant) }
