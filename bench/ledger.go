package main

import (
	"context"
	"crypto/ed25519"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/uuid"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	"github.com/efferent/efferent/internal/handlers/audit"
	"github.com/efferent/efferent/internal/handlers/checkpoint"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/objects"
	"github.com/efferent/efferent/internal/sqlite"
)

// lane is the only one here: all of its commits come one after the other.
const lane = "lane-0"

// laneBench measures a lane of the ledger: appending, signing, verifying and
// proving.
type laneBench struct {
	entries, commit int
	store           laneStore
	key             ed25519.PrivateKey
}

// laneStore is all that a ledger is kept in.
type laneStore interface {
	audit.Heads
	audit.Staging
	ledger.Reader
	ledger.KeptObjects
}

// ledgers measures a lane on SQLite and a directory, and counts what one costs
// in AWS.
func ledgers(args []string) error {
	flags := flag.NewFlagSet("ledger", flag.ContinueOnError)
	n := flags.Int("n", 100_000, "entries")
	commit := flags.Int("commit", 100, "entries a commit")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *n < *commit || *commit < 10 {
		return errors.New("-commit must be 10 at least, and -n as many at least")
	}
	dir, err := os.MkdirTemp("", "efferent-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db, err := sqlite.Open(filepath.Join(dir, "e.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		return err
	}
	fmt.Printf("one lane, %d entries, %d a commit\n\n", *n, *commit)
	b := &laneBench{entries: *n, commit: *commit, key: key, store: struct {
		*sqlite.Ledger
		*objects.Directory
	}{sqlite.NewLedger(db), objects.NewDirectory(filepath.Join(dir, "tiles"))}}
	if err := b.measure(context.Background()); err != nil {
		return err
	}
	return countLane(context.Background(), *n, *commit, key)
}

// Created is the audit queue's.
func (*laneBench) Created(context.Context) (int64, error) { return 1_700_000_000, nil }

// ChangeVisibility is not called: nothing fails.
func (*laneBench) ChangeVisibility(context.Context, []message.Hide) error { return nil }

// Public and Sign are the signing key's.
func (b *laneBench) Public(context.Context) (ed25519.PublicKey, error) {
	return b.key.Public().(ed25519.PublicKey), nil
}

func (b *laneBench) Sign(_ context.Context, message []byte) ([]byte, error) {
	return ed25519.Sign(b.key, message), nil
}

// Make makes no keys of hashes: the entries are there.
func (*laneBench) Make(context.Context, ...string) error { return nil }

// batch is the audit messages of one commit: ten, like those of deliver.
func (b *laneBench) batch(from int) (events.SQSEvent, error) {
	var event events.SQSEvent
	const messages = 10
	for m := range messages {
		var entries []ledger.Entry
		for i := range b.commit / messages {
			id, action := uuid.NewString(), ledger.WebhookAttempt
			if i%2 == 1 {
				action = ledger.WebhookDelivered
			}
			entries = append(entries, ledger.Entry{Action: action, Actor: "efferent:deliver", Attempt: 1, ID: id + "#1", MessageID: id,
				Resource: "url=https://hooks.acme.test/hmac:" + uuid.NewString() + ", event=invoice.paid", Tenant: "acme",
				Timestamp: time.UnixMilli(int64(1_790_000_000_000 + from + i)), WebhookID: "evt_" + id})
		}
		bodies, err := ledger.Messages(entries, ledger.MessageLimit)
		if err != nil {
			return event, err
		}
		event.Records = append(event.Records, events.SQSMessage{
			MessageId: uuid.NewString(), Body: string(bodies[0]), EventSourceARN: "arn:aws:sqs:us-east-1:000000000000:audit.fifo",
			Attributes: map[string]string{"MessageGroupId": lane, "SequenceNumber": fmt.Sprintf("%020d", from+m+1),
				"SentTimestamp": "1790000000000"}})
	}
	return event, nil
}

// append appends all entries, and returns the time that the handler took.
func (b *laneBench) append(ctx context.Context) (took time.Duration, err error) {
	h, err := audit.New(audit.Needs{Heads: b.store, Staging: b.store, Objects: b.store, Queue: b, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, err
	}
	for from := 0; from < b.entries; from += b.commit {
		event, err := b.batch(from)
		if err != nil {
			return took, err
		}
		began := time.Now()
		out, err := h.Handle(ctx, event)
		took += time.Since(began)
		if err != nil || len(out.BatchItemFailures) > 0 {
			return took, errors.Join(fmt.Errorf("%d messages were not appended", len(out.BatchItemFailures)), err)
		}
	}
	return took, nil
}

// sign signs the lane, and returns its checkpoint.
func (b *laneBench) sign(ctx context.Context, tiles checkpoint.Tiles, kept ledger.Kept) ([]byte, error) {
	h, err := checkpoint.New(checkpoint.Needs{Ledger: b.store, Tiles: tiles, Kept: kept, Key: b, MonthKeys: b, Origin: "example.com/bench",
		Lanes: 1, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	if err := h.Handle(ctx); err != nil {
		return nil, err
	}
	return kept.Newest(ctx, lane)
}

func (b *laneBench) measure(ctx context.Context) error {
	rate := func(what string, took time.Duration) {
		fmt.Printf("%-34s %10.0f entries/s\n", what, float64(b.entries)/took.Seconds())
	}
	took, err := b.append(ctx)
	if err != nil {
		return err
	}
	rate("appended, SQLite and files", took)
	began := time.Now()
	signed, err := b.sign(ctx, b.store, ledger.Kept{Objects: b.store})
	if err != nil {
		return err
	}
	rate("made anew and signed", time.Since(began))
	key := ledger.PublicKey{Origin: "example.com/bench", Key: b.key.Public().(ed25519.PublicKey)}
	began = time.Now()
	report := ledger.Verifier{Reader: b.store, Key: key, Acts: ledger.NewActs()}.Lane(ctx, lane, []ledger.Signed{{Path: "mine", Note: signed}})
	if report.Verdict != ledger.Sound || report.Anchored != int64(b.entries) {
		return fmt.Errorf("the lane does not verify: %+v", report)
	}
	rate("verified, acts counted", time.Since(began))
	return b.prove(ctx, key, signed)
}

// prove makes and checks proofs, each from the tiles as they lie.
func (b *laneBench) prove(ctx context.Context, key ledger.PublicKey, signed []byte) error {
	verifier, err := key.Lane(lane)
	if err != nil {
		return err
	}
	c, err := ledger.OpenCheckpoint(signed, verifier)
	if err != nil {
		return err
	}
	const proofs = 1000
	var made, checked time.Duration
	size := 0
	for range proofs {
		index := rand.Int64N(c.Size)
		bundle, err := b.entry(ctx, index)
		if err != nil {
			return err
		}
		began := time.Now()
		path, err := ledger.TilesOf(b.store, lane).Include(ctx, c, index)
		if err != nil {
			return err
		}
		file := ledger.Proof{Entry: bundle, Index: index, Path: path, Checkpoint: signed}.Marshal()
		made += time.Since(began)
		size += len(file)
		began = time.Now()
		p, err := ledger.ParseProof(file)
		if err == nil {
			_, err = p.Verify(verifier)
		}
		if err != nil {
			return err
		}
		checked += time.Since(began)
	}
	fmt.Printf("%-34s %10.2f ms\n%-34s %10.2f ms\n%-34s %10d bytes\n", "a proof made", made.Seconds()*1000/proofs,
		"a proof checked", checked.Seconds()*1000/proofs, "a proof with its entry", size/proofs)
	return nil
}

// entry reads the entry at an index.
func (b *laneBench) entry(ctx context.Context, index int64) ([]byte, error) {
	log, err := ledger.OpenLog(ctx, b.store, lane)
	if err != nil {
		return nil, err
	}
	var found []byte
	done := errors.New("found")
	err = log.Entries(ctx, index, func(_ int64, entry []byte) error { found = entry; return done })
	if errors.Is(err, done) {
		err = nil
	}
	return found, err
}

// countLane appends and signs the same in a table and buckets that count what
// AWS bills.
func countLane(ctx context.Context, entries, commit int, key ed25519.PrivateKey) error {
	bill := newBill()
	tiles, kept := newBucket(bill), newBucket(bill)
	bucket := &awss3.Objects{API: tiles, Bucket: "tiles"}
	b := &laneBench{entries: entries, commit: commit, key: key, store: struct {
		*awsdynamodb.Ledger
		*awss3.Objects
	}{&awsdynamodb.Ledger{API: newTable("lane", "item", bill, time.Now), Table: "ledger"}, bucket}}
	if _, err := b.append(ctx); err != nil {
		return err
	}
	fmt.Printf("\na million entries in AWS, of these counted:\n")
	cost := 0.0
	for _, what := range []string{"wru", "rru", "s3put", "s3get"} {
		n := bill.used[what] * 1e6 / float64(entries)
		cost += n / prices[what].per * prices[what].cost
		fmt.Printf("%-40s %10.0f  $%.3f\n", prices[what].what, n, n/prices[what].per*prices[what].cost)
	}
	fmt.Printf("%-40s %10s  $%.3f\n", "appending, without SQS and Lambda", "", cost)
	before := bill.used["s3put"] + bill.used["s3get"]
	if _, err := b.sign(ctx, bucket, ledger.Kept{Objects: &awss3.Objects{API: kept, Bucket: "checkpoints"}}); err != nil {
		return err
	}
	fmt.Printf("%-40s %10.0f\n", "S3 requests of one signing of them all", bill.used["s3put"]+bill.used["s3get"]-before)
	return nil
}
