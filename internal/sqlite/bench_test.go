package sqlite_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/writelog"
)

// client is what the engine and the SDK's client have in common.
type client interface {
	SendMessage(context.Context, *sqs.SendMessageInput, ...func(*sqs.Options)) (*sqs.SendMessageOutput, error)
	SendMessageBatch(context.Context, *sqs.SendMessageBatchInput, ...func(*sqs.Options)) (*sqs.SendMessageBatchOutput, error)
	ReceiveMessage(context.Context, *sqs.ReceiveMessageInput, ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error)
	DeleteMessage(context.Context, *sqs.DeleteMessageInput, ...func(*sqs.Options)) (*sqs.DeleteMessageOutput, error)
	DeleteMessageBatch(context.Context, *sqs.DeleteMessageBatchInput, ...func(*sqs.Options)) (*sqs.DeleteMessageBatchOutput, error)
}

var queueURL = aws.String("http://127.0.0.1/000000000000/q")

func benchEngine(b *testing.B) *sqsserver.Engine {
	path := filepath.Join(b.TempDir(), "b.db")
	db, err := sqlite.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	queues, err := writelog.OpenQueues(b.Context(), path, db.ID(), sqlite.NewQueues(db), writelog.Options{})
	if err != nil {
		b.Fatal(err)
	}
	e, err := sqsserver.Open(b.Context(), queues, sqsserver.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close(); queues.Close(); db.Close() })
	if _, err := e.CreateQueue(b.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")}); err != nil {
		b.Fatal(err)
	}
	return e
}

// cpu is the process's CPU time so far, in microseconds.
func cpu() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Sec+u.Stime.Sec)*1e6 + float64(u.Utime.Usec+u.Stime.Usec)
}

var kibibyte = aws.String(strings.Repeat("0123456789abcdef", 64))

// cycleBatch sends, receives and deletes ten messages of 1 KiB.
func cycleBatch(ctx context.Context, c client) (int, error) {
	send := &sqs.SendMessageBatchInput{QueueUrl: queueURL}
	for i := range 10 {
		send.Entries = append(send.Entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: kibibyte})
	}
	if _, err := c.SendMessageBatch(ctx, send); err != nil {
		return 0, err
	}
	got, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queueURL, MaxNumberOfMessages: 10,
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	if err != nil || len(got.Messages) == 0 {
		return 0, err
	}
	del := &sqs.DeleteMessageBatchInput{QueueUrl: queueURL}
	for i, m := range got.Messages {
		del.Entries = append(del.Entries, types.DeleteMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), ReceiptHandle: m.ReceiptHandle})
	}
	_, err = c.DeleteMessageBatch(ctx, del)
	return len(got.Messages), err
}

func cycleOne(ctx context.Context, c client) (int, error) {
	if _, err := c.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queueURL, MessageBody: kibibyte}); err != nil {
		return 0, err
	}
	got, err := c.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queueURL})
	if err != nil || len(got.Messages) == 0 {
		return 0, err
	}
	_, err = c.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queueURL, ReceiptHandle: got.Messages[0].ReceiptHandle})
	return 1, err
}

// bench runs b.N messages through clients that work at the same time.
func bench(b *testing.B, clients int, cycle func(context.Context, client) (int, error), c client) {
	var done atomic.Int64
	before := cpu()
	b.ResetTimer()
	b.SetParallelism(clients)
	errs := make(chan error, clients)
	for range clients {
		go func() {
			for done.Load() < int64(b.N) {
				n, err := cycle(b.Context(), c)
				if err != nil {
					errs <- err
					return
				}
				done.Add(int64(n))
			}
			errs <- nil
		}()
	}
	for range clients {
		if err := <-errs; err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	n := float64(done.Load())
	b.ReportMetric(n/b.Elapsed().Seconds(), "cycles/s")
	b.ReportMetric((cpu()-before)/n, "cpu-µs/cycle")
}

// BenchmarkEngine is send, receive and delete in process, by tens.
func BenchmarkEngine(b *testing.B) {
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprint("clients=", clients), func(b *testing.B) { bench(b, clients, cycleBatch, benchEngine(b)) })
	}
}

// BenchmarkHTTP is send, receive and delete through HTTP, one by one.
func BenchmarkHTTP(b *testing.B) {
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprint("clients=", clients), func(b *testing.B) {
			server := httptest.NewServer(sqsserver.LoopbackOnly(sqsserver.NewHandler(benchEngine(b))))
			b.Cleanup(server.Close)
			bench(b, clients, cycleOne, sqs.New(sqs.Options{
				Region: "us-east-1", BaseEndpoint: aws.String(server.URL),
				Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
					return aws.Credentials{AccessKeyID: "x", SecretAccessKey: "x"}, nil
				}),
			}))
		})
	}
}

// BenchmarkAttempts keeps ten attempts a transaction, as a batch of webhooks
// does.
func BenchmarkAttempts(b *testing.B) {
	for _, verdict := range []attempt.Verdict{attempt.Delivered, attempt.Permanent} {
		b.Run(string(verdict), func(b *testing.B) {
			db, err := sqlite.Open(filepath.Join(b.TempDir(), "b.db"))
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { db.Close() })
			store, n := sqlite.NewAttempts(db), 0
			batch := make([]attempt.Record, 10)
			for b.Loop() {
				for i := range batch {
					id := fmt.Sprintf("%032x", n*2654435761)
					batch[i] = attempt.Record{WebhookID: "evt_" + id, MessageID: id, Attempt: 1, At: time.Unix(int64(n), 0).UTC(),
						URL: "https://hooks.acme.test/in", EventType: "invoice.paid", Status: 200, Verdict: verdict}
					n++
				}
				if err := store.Put(b.Context(), batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "µs/record")
		})
	}
}
