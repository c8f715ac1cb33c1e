package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
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
// pricing", "Amazon S3 pricing", "AWS Key Management Service pricing", "AWS
// Secrets Manager pricing", "Amazon CloudWatch pricing").
var prices = map[string]price{
	"sqs":      {"SQS requests, standard (64 KiB each)", 1e6, 0.40},
	"fifo":     {"SQS requests, FIFO (64 KiB each)", 1e6, 0.50},
	"invoke":   {"Lambda invocations", 1e6, 0.20},
	"gbs":      {"Lambda GB-seconds, arm64", 1, 0.0000133334},
	"wru":      {"DynamoDB write units, on demand", 1e6, 0.625},
	"rru":      {"DynamoDB read units, on demand", 1e6, 0.125},
	"storage":  {"DynamoDB GB-months", 1, 0.25},
	"s3put":    {"S3 PUT and LIST requests", 1e6, 5},
	"s3get":    {"S3 GET requests", 1e6, 0.40},
	"s3gb":     {"S3 GB-months", 1, 0.023},
	"sign":     {"KMS signatures, Ed25519", 10_000, 0.15},
	"kmskey":   {"keys of KMS, a month", 1, 1},
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
		c.bill.add(kindOf(*in.QueueUrl), chunks(size))
	}
	return out, err
}

// kindOf is what a request to a queue is billed as.
func kindOf(queue string) string {
	if strings.HasSuffix(queue, ".fifo") {
		return "fifo"
	}
	return "sqs"
}

func (c counted) GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, o ...func(*sqs.Options)) (
	*sqs.GetQueueAttributesOutput, error) {
	c.bill.add(kindOf(*in.QueueUrl), 1)
	return c.Engine.GetQueueAttributes(ctx, in, o...)
}

func (c counted) DeleteMessageBatch(ctx context.Context, in *sqs.DeleteMessageBatchInput, o ...func(*sqs.Options)) (
	*sqs.DeleteMessageBatchOutput, error) {
	c.bill.add(kindOf(*in.QueueUrl), 1)
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

const (
	memoryGB = 0.25
	// answer is how long an endpoint takes, and commit how long AWS does for
	// the requests of an append, in seconds: Lambda bills that time too.
	answer, commit = 0.1, 0.05
	// lives is how many months entries are kept.
	lives = 12
	// perRequest is the most messages of one request to SQS.
	perRequest = 10
	// runs is how often the ledger is signed in a month.
	runs = 12 * 24 * 30.4
)

// cost prices a million webhooks with their ledger, in batches as they are by
// default and in larger ones, what signing takes, and a month of none.
func cost() error {
	for _, batch := range []int{100, 10} {
		if err := million(batch, batch == 10); err != nil {
			return err
		}
	}
	return nil
}

// million sends webhooks through the handlers with their real adapters, counts
// what each would be billed for, and prices a million of them.
func million(batch int, withMonths bool) error {
	const n = 20_000
	ctx := context.Background()
	engine, stop, err := openQueues(ctx)
	if err != nil {
		return err
	}
	defer stop()
	sent := &bill{used: map[string]float64{}}
	took, err := sendCounted(ctx, engine, sent, n, batch)
	if err != nil {
		return err
	}
	sent.add("sqs", n/perRequest) // the producer's sends
	sent.add("invoke", float64(n/batch))
	sent.add("gbs", (answer*float64(n/batch)+took.Seconds())*memoryGB)
	fmt.Printf("\na million webhooks of 1 KiB, in batches of %d, to endpoints that answer in %.0f ms:\n", batch, answer*1000)
	all := printBill(sent.used, 1e6/n)

	appended := &bill{used: map[string]float64{}}
	l, err := newCountedLedger(engine, appended)
	if err != nil {
		return err
	}
	if took, err = l.append(ctx); err != nil {
		return err
	}
	appended.used["s3gb"] *= lives
	appended.add("invoke", float64(l.commits))
	appended.add("gbs", (commit*float64(l.commits)+took.Seconds())*memoryGB)
	entries, err := l.size(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\ntheir ledger, %.0f entries a webhook, %.0f a commit, kept for %d months:\n",
		float64(entries)/n, float64(entries)/float64(l.commits), lives)
	all += printBill(appended.used, 1e6/n)
	fmt.Printf("\na million webhooks with their ledger: $%.2f; a million entries: %.3f million write units, $%.3f\n",
		all, appended.used["wru"]/float64(entries), priceOf(appended.used)*1e6/float64(entries))
	if !withMonths {
		return nil
	}
	return months(ctx, engine, l)
}

// months prices a month in which every lane grows all the time, and one of
// none.
func months(ctx context.Context, engine *sqsserver.Engine, l *countedLedger) error {
	grown, still := &bill{used: map[string]float64{}}, &bill{used: map[string]float64{}}
	if err := l.signer.Handle(ctx); err != nil { // all there is, which is more than a run's
		return err
	}
	if _, err := sendCounted(ctx, engine, &bill{used: map[string]float64{}}, 400, 10); err != nil {
		return err
	}
	if _, err := l.append(ctx); err != nil {
		return err
	}
	for _, b := range []*bill{grown, still} {
		l.charge(b)
		start := time.Now()
		if err := l.signer.Handle(ctx); err != nil {
			return err
		}
		b.add("invoke", 1)
		b.add("gbs", (time.Since(start).Seconds()+4*commit)*2*memoryGB)
	}
	grown.used["s3gb"] *= lives / 2 // of a first year's, half are there on average
	fmt.Printf("\na month of signing every 5 minutes, in %d lanes that grow all the time:\n", 4)
	printBill(grown.used, runs)

	// Lambda polls an idle queue with five long polls of 20 seconds at a time:
	// webhooks, notifications, and audit.fifo.
	const polls = 5 * 3 * 60 * 24 * 30.4
	for name, count := range still.used {
		still.used[name] = count * runs
	}
	for name, count := range map[string]float64{"sqs": 2 * polls, "fifo": polls, "alarm": 15, "secret": 2, "kmskey": 1} {
		still.add(name, count)
	}
	fmt.Printf("\na month of none:\n")
	printBill(still.used, 1)
	return nil
}

// priceOf is what all of it costs.
func priceOf(used map[string]float64) (total float64) {
	for name, n := range used {
		total += n / prices[name].per * prices[name].cost
	}
	return total
}

// printBill shows what is used, so many times, and returns what it costs.
func printBill(used map[string]float64, times float64) float64 {
	for _, name := range []string{"sqs", "fifo", "invoke", "gbs", "wru", "rru", "storage", "s3put", "s3get", "s3gb", "sign", "kmskey",
		"secretop", "logs", "secret", "alarm"} {
		if used[name] == 0 {
			continue
		}
		p, n := prices[name], used[name]*times
		fmt.Printf("  %-40s %12.4g  $%.3f\n", p.what, n, n/p.per*p.cost)
	}
	total := priceOf(used) * times
	fmt.Printf("  %-40s %12s  $%.2f\n", "in all", "", total)
	return total
}

func (b *bill) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	b.add("secretop", 1)
	return &secretsmanager.GetSecretValueOutput{SecretString: aws.String(secretValue), VersionId: aws.String("v1")}, nil
}

// openQueues plays SQS, until stop is called.
func openQueues(ctx context.Context) (engine *sqsserver.Engine, stop func(), err error) {
	db, err := sqlite.Open(":memory:")
	if err != nil {
		return nil, nil, err
	}
	engine, err = sqsserver.Open(ctx, sqlite.NewQueues(db), sqsserver.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	stop = func() {
		engine.Close()
		db.Close()
	}
	for name, attributes := range map[string]map[string]string{"webhooks": nil, "audit.fifo": {"FifoQueue": "true"}} {
		if _, err := engine.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes}); err != nil {
			stop()
			return nil, nil, err
		}
	}
	return engine, stop, nil
}

// sendCounted sends n webhooks, in batches of a multiple of ten, and returns the handler's time.
func sendCounted(ctx context.Context, engine *sqsserver.Engine, b *bill, n, batch int) (time.Duration, error) {
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
		var messages []events.SQSMessage
		for len(messages) < batch { // as Lambda gathers them
			some, err := queue.Receive(ctx, perRequest)
			if err != nil {
				return 0, err
			}
			messages = append(messages, some...)
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

// customers is how many endpoints there are.
const customers = 1000

func fill(ctx context.Context, engine *sqsserver.Engine, url string, round, batch int) error {
	queue := "/webhooks"
	for from := round * batch; from < (round+1)*batch; from += perRequest {
		var entries []sqstypes.SendMessageBatchRequestEntry
		for k := range perRequest {
			id, body := fmt.Sprint(k), text(fmt.Sprintf("evt-%08d", from+k), fmt.Sprintf("%s/%08d", url, (from+k)*7919%customers))
			entries = append(entries, sqstypes.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body})
		}
		if _, err := engine.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &queue, Entries: entries}); err != nil {
			return err
		}
	}
	return nil
}
