package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/attempt"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/circuit"
	registered "github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/handlers/deliver"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/retry"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/webhook"
)

const secretName, secretValue = "efferent/webhooks/bench", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// payload is a JSON body of 1 KiB.
var payload = []byte(`{"data":"` + strings.Repeat("x", 1024-11) + `"}`)

// timed runs work and measures this process.
func timed(n int, work func() error) (result, error) {
	var before, after syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &before); err != nil {
		return result{}, err
	}
	start := time.Now()
	if err := work(); err != nil {
		return result{}, err
	}
	elapsed := time.Since(start)
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &after); err != nil {
		return result{}, err
	}
	return result{Webhooks: n, Seconds: elapsed.Seconds(), CPU: cpu(after) - cpu(before)}, nil
}

func cpu(r syscall.Rusage) float64 {
	return (time.Duration(r.Utime.Nano()) + time.Duration(r.Stime.Nano())).Seconds()
}

// inParallel gives work the numbers 0 to n-1, workers at a time.
func inParallel(n, workers int, work func(i int) error) error {
	var next atomic.Int64
	errs := make(chan error, workers)
	for range workers {
		go func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					errs <- nil
					return
				}
				if err := work(i); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	var first error
	for range workers {
		if err := <-errs; first == nil {
			first = err
		}
	}
	return first
}

// bare is what anybody would write: sign, post, read the answer.
func bare(args []string) (result, error) {
	url, n := args[0]+"/in", number(args[1])
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: inFlight}}
	return timed(n, func() error {
		return inParallel(n, inFlight, func(int) error {
			mac := hmac.New(sha256.New, []byte(secretValue))
			mac.Write(payload)
			req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(payload))
			if err != nil {
				return err
			}
			req.Header.Set("Content-Type", "application/json")
			req.Header.Set("X-Webhook-Signature", "sha256="+hex.EncodeToString(mac.Sum(nil)))
			resp, err := client.Do(req)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		})
	})
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		panic(err)
	}
	return n
}

// memory stands for every store of the handler. It serialises what it is
// given, as a real one must.
type memory struct {
	mu      sync.Mutex
	records map[string][]byte
	queue   [][]byte
}

func (m *memory) Put(_ context.Context, records []attempt.Record) error {
	for _, r := range records {
		if err := m.keep(r.WebhookID+"/"+r.SortKey(), r); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) OfWebhook(context.Context, string) ([]attempt.Record, error) { return nil, nil }

func (m *memory) keep(key string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[key] = b
	return nil
}

func (m *memory) OfMessage(context.Context, string, string) ([]attempt.Record, error) {
	return nil, nil
}

func (m *memory) ChangeVisibility(context.Context, []message.Hide) error { return nil }

func (m *memory) Append(_ context.Context, _ string, entries []ledger.Entry) error {
	bodies, err := ledger.Messages(entries, ledger.MessageLimit)
	for _, b := range bodies {
		_ = ledger.DeduplicationID(b)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue = append(m.queue, bodies...)
	return err
}

func (m *memory) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	value, version := secretValue, "v1"
	return &secretsmanager.GetSecretValueOutput{SecretString: &value, VersionId: &version}, nil
}

// limited keeps to the same number of requests in flight as the bare loop.
type limited struct {
	places chan struct{}
	client *webhook.Client
}

func (l *limited) Post(ctx context.Context, r webhook.Request) webhook.Exchange {
	l.places <- struct{}{}
	defer func() { <-l.places }()
	return l.client.Post(ctx, r)
}

// handler is the deliver room with the real client, on batches of a size.
func handler(args []string) (result, error) {
	url, n, size := args[0]+"/in", number(args[1]), number(args[2])
	allow, err := webhook.ParseAllowHTTP("loopback")
	if err != nil {
		return result{}, err
	}
	m := &memory{records: map[string][]byte{}}
	h, err := deliver.New(deliver.Needs{
		Needs: handlerNeeds(m, m, m),
		Sender: &limited{make(chan struct{}, inFlight), webhook.NewClient(webhook.Options{
			AllowHTTP: allow, AllowPrefixes: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})},
		Secrets:  &awssecrets.Signing{API: m, Now: time.Now},
		Circuits: keeper(new(storetest.Memory)), Endpoints: &registered.Known{Store: new(storetest.Memory), Now: time.Now},
		Disabler: &registered.Disabler{}, Auth: &awssecrets.Values{API: m, Now: time.Now},
		Pace:     &pace.Keeper{Store: new(storetest.Memory), Now: time.Now, Log: slog.New(slog.DiscardHandler)},
		MostHeld: settings.DefaultMaxHeld,
	})
	if err != nil {
		return result{}, err
	}
	batches := make([]events.SQSEvent, n/size)
	for i := range batches {
		batches[i].Records = batchOf(url, i, size)
	}
	return timed(n, func() error {
		return inParallel(len(batches), inFlight/size+1, func(i int) error {
			ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
			defer stop()
			out, err := h.Handle(ctx, batches[i])
			if err == nil && len(out.BatchItemFailures) > 0 {
				err = fmt.Errorf("%d failures in a batch", len(out.BatchItemFailures))
			}
			return err
		})
	})
}

// keeper keeps circuits, and tells nobody.
func keeper(kept circuit.Store) *circuit.Keeper {
	return &circuit.Keeper{
		Store: kept, Now: time.Now, Jitter: func() float64 { return 0 }, Log: slog.New(slog.DiscardHandler),
		Changed: func(context.Context, circuit.State, circuit.State) {},
	}
}

// handlerNeeds is what a handler of batches needs, without jitter and logs.
func handlerNeeds(attempts batch.Attempts, queue batch.Queue, audit ledger.Audit) batch.Needs {
	return batch.Needs{
		Attempts: attempts, Room: new(storetest.Memory), Queue: queue, Audit: audit, Policies: retry.Policies{},
		MaxReceives: settings.DefaultMaxReceives,
		Now:         time.Now, Jitter: func() float64 { return 0 }, Log: slog.New(slog.DiscardHandler),
		Redactors: redactors(time.Now),
	}
}

// redactors hash with this month's key.
func redactors(now func() time.Time) ledger.Redactors {
	return &awssecrets.Redactors{API: monthKey(now), Name: "efferent/ledger/keys", Now: now, Log: slog.New(slog.DiscardHandler)}
}

// monthKey is a Secrets Manager with the key of this month.
type monthKey func() time.Time

func (now monthKey) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	value, version := fmt.Sprintf(`{%q: %q}`, ledger.Month(now()), strings.Repeat("A", 43)+"="), "v1"
	return &secretsmanager.GetSecretValueOutput{SecretString: &value, VersionId: &version}, nil
}

func batchOf(url string, number, size int) []events.SQSMessage {
	messages := make([]events.SQSMessage, size)
	now := strconv.FormatInt(time.Now().UnixMilli(), 10)
	for i := range messages {
		id := fmt.Sprintf("4f3c1b7e-0000-4000-8000-%012d", number*size+i)
		messages[i] = events.SQSMessage{
			MessageId: id, ReceiptHandle: id, Body: text("evt-"+id, url),
			Attributes: map[string]string{"ApproximateReceiveCount": "1", "SentTimestamp": now, "ApproximateFirstReceiveTimestamp": now},
		}
	}
	return messages
}

// text is a webhook message.
func text(id, url string) string {
	if strings.HasSuffix(url, "/") {
		url += id
	}
	return `{"id":"` + id + `","url":"` + url + `","secret":"` + secretName + `","event_type":"bench.run","body":` + string(payload) + `}`
}
