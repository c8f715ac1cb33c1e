package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/attempt"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
)

// deadletters measures looking into a full dead-letter queue: time and SQS
// requests of one page of the listing, and of finding one item and replaying
// it. The handler speaks to the SQS endpoint through HTTP, as the worker does.
func deadletters(args []string) error {
	flags := flag.NewFlagSet("deadletters", flag.ContinueOnError)
	n := flags.Int("n", 10_000, "messages in the dead-letter queue")
	rounds := flags.Int("rounds", 9, "rounds; medians are printed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	b, err := newLetterBench()
	if err != nil {
		return err
	}
	defer b.close()
	ids, err := b.fill(*n)
	if err != nil {
		return err
	}
	fmt.Printf("%d messages in the dead-letter queue, medians of %d rounds\n\n%-28s %10s %14s  %s\n", *n, *rounds, "", "ms", "SQS requests",
		"of which")
	page := "/api/v1/dlq?limit=50&queue=" + deadletter.WebhookFailures
	if err := b.measure("a page of 50", *rounds, func(int) (string, string) { return http.MethodGet, page }); err != nil {
		return err
	}
	return b.measure("find one and replay it", *rounds, func(round int) (string, string) {
		id := ids[(round*7919+len(ids)/2)%len(ids)] // anywhere
		return http.MethodPost, "/api/v1/dlq/" + deadletter.WebhookFailures + "/replay/" + id
	})
}

// letterBench is a replay handler on an SQS endpoint, and a counter between.
type letterBench struct {
	db       *sqlite.DB
	engine   *sqsserver.Engine
	server   *httptest.Server
	client   *sqs.Client
	attempts *sqlite.Attempts
	routes   http.Handler

	mu       sync.Mutex
	requests map[string]int // by operation
}

func newLetterBench() (_ *letterBench, err error) {
	b := &letterBench{requests: map[string]int{}}
	if b.db, err = sqlite.Open(":memory:"); err != nil {
		return nil, err
	}
	ctx := context.Background()
	if b.engine, err = sqsserver.Open(ctx, sqlite.NewQueues(b.db), sqsserver.Options{}); err != nil {
		return nil, err
	}
	b.server = httptest.NewServer(sqsserver.NewHandler(b.engine))
	b.client = sqs.NewFromConfig(aws.Config{Region: "us-east-1", BaseEndpoint: &b.server.URL, HTTPClient: &http.Client{Transport: b},
		Credentials: credentials.NewStaticCredentialsProvider("bench", "bench", "")})
	urls := map[string]string{}
	for _, name := range []string{settings.WebhooksQueue, deadletter.WebhookFailures, settings.AuditQueue} {
		in := &sqs.CreateQueueInput{QueueName: &name}
		if strings.HasSuffix(name, ".fifo") {
			in.Attributes = map[string]string{"FifoQueue": "true"}
		}
		out, err := b.client.CreateQueue(ctx, in)
		if err != nil {
			return nil, err
		}
		urls[name] = *out.QueueUrl
	}
	b.attempts = sqlite.NewAttempts(b.db)
	h, err := replay.New(replay.Needs{
		Queues: []replay.Queue{{
			Name: deadletter.WebhookFailures, Read: replay.ReadWebhook,
			Letters: &awssqs.Letters{API: b.client, URL: urls[deadletter.WebhookFailures]},
			Source:  &awssqs.Source{API: b.client, URL: urls[settings.WebhooksQueue]},
			Moves:   &awssqs.Moves{API: b.client, URL: urls[deadletter.WebhookFailures]},
		}},
		History: b.attempts, Failures: b.attempts, Claims: sqlite.NewClaims(b.db),
		Audit: &awssqs.Audit{API: b.client, URL: urls[settings.AuditQueue], Lanes: 4}, Redactors: redactors(time.Now),
		Caller: func(*http.Request) (api.Caller, error) { return api.Caller{Name: "bench"}, nil }, Now: time.Now,
		Wait: func(_ context.Context, d time.Duration) { time.Sleep(d) }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	b.routes = h.Routes()
	return b, nil
}

func (b *letterBench) close() {
	b.server.Close()
	b.engine.Close()
	_ = b.db.Close()
}

// RoundTrip counts the requests by their operation.
func (b *letterBench) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	b.mu.Lock()
	b.requests[operation]++
	b.mu.Unlock()
	return http.DefaultTransport.RoundTrip(r)
}

// fill puts n messages, and the records of how they failed, where they belong.
func (b *letterBench) fill(n int) (ids []string, err error) {
	ctx := context.Background()
	name := deadletter.WebhookFailures
	url, err := b.client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		return nil, err
	}
	for len(ids) < n {
		var entries []types.SendMessageBatchRequestEntry
		for i := range min(10, n-len(ids)) {
			body := fmt.Sprintf(`{"id":"evt_%d","url":"https://a.test/in","secret":"efferent/webhooks/a","event_type":"bench",`+
				`"body":{"pad":"%01000d"}}`, len(ids)+i, i)
			entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &body})
		}
		out, err := b.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: url.QueueUrl, Entries: entries})
		if err != nil || len(out.Failed) > 0 {
			return nil, errors.Join(err, fmt.Errorf("%d sends failed", len(out.Failed)))
		}
		var records []attempt.Record
		for i, sent := range out.Successful {
			records = append(records, attempt.Record{WebhookID: fmt.Sprintf("evt_%d", len(ids)+i), MessageID: *sent.MessageId, Attempt: 4,
				At:  time.Now(),
				URL: "https://a.test/in", EventType: "bench", Status: 503, Verdict: attempt.Exhausted, Reason: "503 Service Unavailable"})
		}
		for _, r := range records {
			ids = append(ids, r.MessageID)
		}
		if err := b.attempts.Put(ctx, records); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// measure makes one request a round and prints what the median one took.
func (b *letterBench) measure(name string, rounds int, request func(round int) (method, path string)) error {
	type round struct {
		took     time.Duration
		requests map[string]int
		total    int
	}
	var all []round
	for i := range rounds {
		b.mu.Lock()
		clear(b.requests)
		b.mu.Unlock()
		method, path := request(i)
		w := httptest.NewRecorder()
		began := time.Now()
		b.routes.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		r := round{took: time.Since(began), requests: maps.Clone(b.requests)}
		if w.Code >= 300 {
			return fmt.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		for _, n := range r.requests {
			r.total += n
		}
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b round) int { return a.total - b.total })
	middle := all[len(all)/2]
	slices.SortFunc(all, func(a, b round) int { return int(a.took - b.took) })
	var of []string
	for _, operation := range slices.Sorted(maps.Keys(middle.requests)) {
		of = append(of, fmt.Sprintf("%s %d", operation, middle.requests[operation]))
	}
	fmt.Printf("%-28s %10.1f %14d  %s\n", name, float64(all[len(all)/2].took.Microseconds())/1000, middle.total, strings.Join(of, ", "))
	return nil
}
