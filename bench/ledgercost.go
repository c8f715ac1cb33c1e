package main

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awskms "github.com/efferent/efferent/internal/aws/kms"
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/handlers/audit"
	"github.com/efferent/efferent/internal/handlers/checkpoint"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/telemetry"
)

// countedLedger is a ledger in AWS, with what is billed of it.
type countedLedger struct {
	table      *table
	tiles      *bucket
	kept       *bucket
	store      *awsdynamodb.Ledger
	appender   *audit.Handler
	signer     *checkpoint.Handler
	queue      awssqs.Own
	commits    int
	signingKey ed25519.PrivateKey
	engine     *sqsserver.Engine
	bill       *bill
}

func newCountedLedger(engine *sqsserver.Engine, b *bill, now func() time.Time) (*countedLedger, error) {
	l := &countedLedger{table: newTable("lane", "item", b, now), tiles: newBucket(b), kept: newBucket(b), engine: engine, bill: b}
	l.store = &awsdynamodb.Ledger{API: l.table, Table: "ledger"}
	l.queue = awssqs.NewOwn(counted{engine, b}, "/audit.fifo")
	objects, log := &awss3.Objects{API: l.tiles, Bucket: "tiles"}, slog.New(slog.DiscardHandler)
	var err error
	if _, l.signingKey, err = ed25519.GenerateKey(nil); err != nil {
		return nil, err
	}
	if l.appender, err = audit.New(audit.Needs{Heads: l.store, Staging: l.store, Objects: objects, Queue: l.queue, Log: log,
		Metrics: &telemetry.EMF{Function: "efferent-audit", Now: now, Out: b}}); err != nil {
		return nil, err
	}
	l.signer, err = checkpoint.New(checkpoint.Needs{
		Ledger: struct {
			*awsdynamodb.Ledger
			*awss3.Objects
		}{l.store, objects},
		Tiles: objects, Kept: ledger.Kept{Objects: &awss3.Objects{API: l.kept, Bucket: "checkpoints"}},
		Key: &awskms.Key{API: l, ID: "key"}, Origin: "example.com/bench", Lanes: ledger.DefaultLanes,
		MonthKeys: l, Now: now, Log: log,
	})
	return l, err
}

// charge has what follows billed to b.
func (l *countedLedger) charge(b *bill) {
	l.bill, l.table.bill, l.tiles.bill, l.kept.bill = b, b, b, b
}

func (l *countedLedger) GetPublicKey(context.Context, *kms.GetPublicKeyInput, ...func(*kms.Options)) (*kms.GetPublicKeyOutput, error) {
	b, err := x509.MarshalPKIXPublicKey(l.signingKey.Public())
	return &kms.GetPublicKeyOutput{PublicKey: b}, err
}

func (l *countedLedger) Sign(_ context.Context, in *kms.SignInput, _ ...func(*kms.Options)) (*kms.SignOutput, error) {
	l.bill.add("sign", 1)
	return &kms.SignOutput{Signature: ed25519.Sign(l.signingKey, in.Message)}, nil
}

// Make makes no keys: they are there, and reading that is on the bill.
func (l *countedLedger) Make(context.Context, ...string) error {
	l.bill.add("secretop", 1)
	return nil
}

// append brings what is on audit.fifo into the ledger, as Lambda would when
// there is much.
func (l *countedLedger) append(ctx context.Context) error {
	for {
		messages, err := l.receive(ctx)
		if err != nil || len(messages) == 0 {
			return err
		}
		start := time.Now()
		out, _ := l.appender.Handle(ctx, events.SQSEvent{Records: messages})
		l.bill.invoked(time.Since(start).Seconds(), 0)
		if len(out.BatchItemFailures) > 0 {
			return fmt.Errorf("%d of %d audit messages failed", len(out.BatchItemFailures), len(messages))
		}
		if err := l.queue.Delete(ctx, messages); err != nil {
			return err
		}
		l.commits++
	}
}

func (l *countedLedger) receive(ctx context.Context) ([]events.SQSMessage, error) {
	const waiting = sqstypes.QueueAttributeNameApproximateNumberOfMessages
	out, err := l.engine.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &l.queue.Queue.URL, AttributeNames: []sqstypes.QueueAttributeName{waiting}})
	if err != nil || out.Attributes[string(waiting)] == "0" {
		return nil, err
	}
	return l.queue.Receive(ctx, 10)
}

// size is how many entries there are.
func (l *countedLedger) size(ctx context.Context) (entries int64, err error) {
	for i := range ledger.DefaultLanes {
		head, err := l.store.Head(ctx, ledger.LaneName(i))
		if err != nil {
			return 0, err
		}
		entries += head.Size
	}
	return entries, nil
}
