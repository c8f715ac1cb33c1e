package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/handlers/deliver"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/webhook"
)

// price is what AWS asks for, in US dollars.
type price struct {
	what string
	per  float64 // how many
	cost float64
}

// prices are AWS's list prices in us-east-1, without the free tier, as of
// November 2026 ("Amazon SQS pricing", "AWS Lambda pricing", "Amazon DynamoDB
// pricing", "AWS Secrets Manager pricing", "Amazon CloudWatch pricing").
var prices = map[string]price{
	"sqs":      {"SQS requests, standard (64 KiB each)", 1e6, 0.40},
	"fifo":     {"SQS requests, FIFO (64 KiB each)", 1e6, 0.50},
	"invoke":   {"Lambda invocations", 1e6, 0.20},
	"gbs":      {"Lambda GB-seconds, arm64", 1, 0.0000133334},
	"wru":      {"DynamoDB write units, on demand", 1e6, 0.625},
	"rru":      {"DynamoDB read units, on demand", 1e6, 0.125},
	"storage":  {"DynamoDB GB-months", 1, 0.25},
	"secret":   {"secrets, a month", 1, 0.40},
	"secretop": {"Secrets Manager requests", 10_000, 0.05},
	"logs":     {"log GB taken in", 1, 0.50},
	"alarm":    {"alarms, a month", 1, 0.10},
}

// bill counts what is used.
type bill struct {
	mu   sync.Mutex
	used map[string]float64
}

func (b *bill) add(what string, n float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used[what] += n
}

// chunks is how many requests SQS counts for so many bytes.
func chunks(bytes int) float64 { return float64(max(1, (bytes+64<<10-1)/(64<<10))) }

// counted is SQS, with its requests on the bill.
type counted struct {
	*sqsserver.Engine
	bill *bill
}

func (c counted) ReceiveMessage(ctx context.Context, in *sqs.ReceiveMessageInput, o ...func(*sqs.Options)) (
	*sqs.ReceiveMessageOutput, error) {
	out, err := c.Engine.ReceiveMessage(ctx, in, o...)
	if err == nil {
		size := 0
		for _, m := range out.Messages {
			size += len(*m.Body)
		}
		c.bill.add("sqs", chunks(size))
	}
	return out, err
}

func (c counted) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, o ...func(*sqs.Options)) (
	*sqs.DeleteMessageBatchOutput, error) {
	c.bill.add("sqs", 1)
	return c.Engine.DeleteMessageBatch(ctx, in, o...)
}

func (c counted) SendMessage(ctx context.Context, in *sqs.SendMessageInput, o ...func(*sqs.Options)) (*sqs.SendMessageOutput, error) {
	c.bill.add("fifo", chunks(len(*in.MessageBody)))
	return c.Engine.SendMessage(ctx, in, o...)
}

// units is DynamoDB, with its write units on the bill.
type units struct {
	awsdynamodb.AttemptsAPI
	bill *bill
}

func (u units) BatchWriteItem(_ context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (
	*dynamodb.BatchWriteItemOutput, error) {
	for _, requests := range in.RequestItems {
		for _, r := range requests {
			size := 100 // what DynamoDB adds to each item
			for name, v := range r.PutRequest.Item {
				size += len(name)
				if s, ok := v.(*types.AttributeValueMemberS); ok {
					size += len(s.Value)
				}
			}
			u.bill.add("wru", float64((size-100+1023)/1024))
			u.bill.add("storage", float64(size)/(1<<30))
		}
	}
	return &dynamodb.BatchWriteItemOutput{}, nil
}

// cost sends webhooks through the handler with its real adapters, counts what
// each would be billed for, and prices a million of them, and a month of none.
func cost() error {
	const n, batch, memoryGB = 10_000, 10, 0.25
	b := &bill{used: map[string]float64{}}
	took, err := sendCounted(b, n, batch)
	if err != nil {
		return err
	}
	b.add("sqs", n/batch) // the producer's sends, in batches of ten
	b.add("invoke", n/batch)
	// Lambda bills the time of an invocation: the endpoints' answer takes most of it.
	const answer = 0.1
	b.add("gbs", n/batch*(answer+took.Seconds()/(n/batch))*memoryGB)
	fmt.Printf("\na million webhooks of 1 KiB, in batches of %d, to endpoints that answer in %.0f ms:\n", batch, answer*1000)
	printBill(b.used, 1e6/n)

	idle := map[string]float64{
		// Lambda polls an idle queue with five long polls of 20 seconds at a time;
		// there are two, webhooks and notifications.
		"sqs": 2 * 5 * 3 * 60 * 24 * 30.4, "alarm": 11, "secret": 1,
	}
	fmt.Printf("\na month of none:\n")
	printBill(idle, 1)
	return nil
}

func printBill(used map[string]float64, times float64) {
	total := 0.0
	for _, name := range []string{"sqs", "fifo", "invoke", "gbs", "wru", "rru", "storage", "secretop", "logs", "secret", "alarm"} {
		if used[name] == 0 {
			continue
		}
		p, n := prices[name], used[name]*times
		total += n / p.per * p.cost
		fmt.Printf("  %-40s %12.4g  $%.3f\n", p.what, n, n/p.per*p.cost)
	}
	fmt.Printf("  %-40s %12s  $%.2f\n", "in all", "", total)
}

func (b *bill) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	b.add("secretop", 1)
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(secretValue), VersionId: aws.String("v1")}, nil
}

// sendCounted sends n webhooks and returns the handler's time.
func sendCounted(b *bill, n, batch int) (time.Duration, error) {
	db, err := sqlite.Open(":memory:")
	if err != nil {
		return 0, err
	}
	defer db.Close()
	engine, err := sqsserver.Open(context.Background(), sqlite.NewQueues(db), sqsserver.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, err
	}
	defer engine.Close()
	ctx := context.Background()
	for name, attributes := range map[string]map[string]string{"webhooks": nil, "audit.fifo": {"FifoQueue": "true"}} {
		if _, err := engine.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes}); err != nil {
			return 0, err
		}
	}
	endpoint := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer endpoint.Close()
	api := counted{engine, b}
	queue := &awssqs.Queue{API: api, URL: "/webhooks"}
	allow, err := webhook.ParseAllowHTTP("loopback")
	if err != nil {
		return 0, err
	}
	h, err := deliver.New(deliver.Needs{
		Needs: handlerNeeds(&awsdynamodb.Attempts{API: units{bill: b}, Table: "attempts"}, queue,
			&awssqs.Audit{API: api, URL: "/audit.fifo", Lanes: 4}),
		Sender:  webhook.NewClient(webhook.Options{AllowHTTP: allow, AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
		Secrets: &awssecrets.Signing{API: b, Now: time.Now},
	})
	if err != nil {
		return 0, err
	}
	var took time.Duration
	for i := range n / batch {
		if err := fill(ctx, engine, endpoint.URL, i, batch); err != nil {
			return 0, err
		}
		messages, err := queue.Receive(ctx, batch)
		if err != nil {
			return 0, err
		}
		start := time.Now()
		out, _ := h.Handle(ctx, events.SQSEvent{Records: messages})
		took += time.Since(start)
		if len(out.BatchItemFailures) > 0 || len(messages) != batch {
			return 0, fmt.Errorf("%d of %d webhooks failed", len(out.BatchItemFailures), len(messages))
		}
		if err := queue.Delete(ctx, messages); err != nil {
			return 0, err
		}
	}
	return took, nil
}

func fill(ctx context.Context, engine *sqsserver.Engine, url string, round, batch int) error {
	queue := "/webhooks"
	var entries []sqstypes.SendMessageBatchRequestEntry
	for k := range batch {
		id, body := fmt.Sprint(k), text(fmt.Sprintf("evt-%08d", round*batch+k), url)
		entries = append(entries, sqstypes.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body})
	}
	_, err := engine.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &queue, Entries: entries})
	return err
}
