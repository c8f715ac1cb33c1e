package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/go-json-experiment/json"
)

// cycler sends, receives and deletes one message.
type cycler interface {
	cycle(ctx context.Context) error
}

// cycles is the process of the clients: its arguments are the endpoint, the
// kind of client, how many of them, and for how long.
func cycles(args []string) (result, error) {
	url, kind, clients := args[0], args[1], number(args[2])
	each, err := time.ParseDuration(args[3])
	if err != nil {
		return result{}, err
	}
	ctx, stop := context.WithTimeout(context.Background(), patience)
	defer stop()
	cyclers := make([]cycler, clients)
	for i := range cyclers {
		if cyclers[i], err = newCycler(ctx, url, kind); err != nil {
			return result{}, err
		}
	}
	done, failed := make([]int, clients), make([]int, clients)
	end := time.Now().Add(each)
	r, err := timed(0, func() error {
		return inParallel(clients, clients, func(i int) error {
			for time.Now().Before(end) {
				if err := cyclers[i].cycle(ctx); err == nil {
					done[i]++
				} else if failed[i]++; failed[i] > 10+done[i]/10 {
					return err
				}
			}
			return nil
		})
	})
	for i := range clients {
		r.Webhooks += done[i]
		r.Failed += failed[i]
	}
	return r, err
}

func newCycler(ctx context.Context, url, kind string) (cycler, error) {
	client := sqs.NewFromConfig(config(url))
	name := fmt.Sprintf("bench-%d", time.Now().UnixNano())
	out, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		return nil, err
	}
	if kind == "plain" {
		return &plain{endpoint: url + "/", queue: *out.QueueUrl, client: &http.Client{Transport: &http.Transport{}}}, nil
	}
	return &sdk{client, out.QueueUrl}, nil
}

var errNothing = errors.New("a message that was sent was not received")

// sdk is aws-sdk-go-v2.
type sdk struct {
	client *sqs.Client
	queue  *string
}

func (s *sdk) cycle(ctx context.Context) error {
	body := string(payload)
	if _, err := s.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: s.queue, MessageBody: &body}); err != nil {
		return err
	}
	out, err := s.client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: s.queue, MaxNumberOfMessages: 1, WaitTimeSeconds: 1})
	if err != nil {
		return err
	}
	if len(out.Messages) != 1 {
		return errNothing
	}
	_, err = s.client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: s.queue, ReceiptHandle: out.Messages[0].ReceiptHandle})
	return err
}

// plain speaks the JSON protocol with net/http alone.
type plain struct {
	endpoint, queue string
	client          *http.Client
}

func (p *plain) cycle(ctx context.Context) error {
	if err := p.call(ctx, "SendMessage", map[string]any{"QueueUrl": p.queue, "MessageBody": string(payload)}, nil); err != nil {
		return err
	}
	var out struct {
		Messages []struct{ ReceiptHandle string }
	}
	err := p.call(ctx, "ReceiveMessage", map[string]any{"QueueUrl": p.queue, "MaxNumberOfMessages": 1, "WaitTimeSeconds": 1}, &out)
	if err != nil {
		return err
	}
	if len(out.Messages) != 1 {
		return errNothing
	}
	return p.call(ctx, "DeleteMessage", map[string]any{"QueueUrl": p.queue, "ReceiptHandle": out.Messages[0].ReceiptHandle}, nil)
}

func (p *plain) call(ctx context.Context, operation string, in map[string]any, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.endpoint, bytes.NewReader(b))
	if err != nil {
		return err
	}
	req.Header["X-Amz-Target"] = []string{"AmazonSQS." + operation}
	req.Header["Content-Type"] = []string{"application/x-amz-json-1.0"}
	// Some endpoints want to see a signature, and look no further.
	req.Header["Authorization"] = []string{"AWS4-HMAC-SHA256 Credential=bench/20261124/us-east-1/sqs/aws4_request, SignedHeaders=host, " +
		"Signature=0"}
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %s", operation, resp.Status, answer)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer, out)
}
