// Package demo is efferent demo: a play on an Efferent of its own, whose promises are
// held against what arrived.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/cmd/efferent/deliveries"
	"github.com/efferent/efferent/cmd/efferent/dev"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/terminal"
)

// demoLimit bounds the whole demo.
const demoLimit = 25 * time.Second

// How long the demos take is told so wherever it is told. That of webhooks waits
// for 7 seconds in all, between the attempts of one.
const (
	Takes       = "in under ten seconds"
	NotifyTakes = "in about two seconds"
)

// Command is efferent demo.
type Command struct {
	Notify bool `help:"${demo_notify}"`
}

func (c Command) Run(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, demoLimit)
	defer stop()
	play, takes := (*demo).webhooks, Takes
	if c.Notify {
		play, takes = (*demo).notifications, NotifyTakes
	}
	fmt.Printf("This ends %s.\n", takes)
	return runDemo(ctx, os.Stdout, play)
}

// runDemo runs all of Efferent, plays a script of messages through its SQS
// endpoint, and tells what happens as it does. Its error lists what differs
// from what the script promises.
func runDemo(ctx context.Context, out io.Writer, play func(*demo, context.Context) error) error {
	l, err := dev.Open(ctx, dev.Config{AWS: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: ":memory:",
		Getenv: func(string) string { return "" }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- l.Run(serving) }()
	d := &demo{out: out, start: time.Now(), local: l, aws: aws.Config{Region: reach.DevRegion, BaseEndpoint: &l.AWSURL,
		Credentials: credentials.NewStaticCredentialsProvider("demo", "demo", "")}}
	d.queues = sqs.NewFromConfig(d.aws)
	fmt.Fprintf(out, "Efferent runs in this process: SQS and Secrets Manager on %s, the API on %s.\n", l.AWSURL, l.HTTPURL)
	var check string
	var entries int
	if err = play(d, ctx); err == nil {
		check, entries, err = d.prove(ctx)
	}
	stop()
	if err := errors.Join(err, <-ended); err != nil {
		return err
	}
	if len(d.wrong) > 0 {
		return errors.New("this is not as promised:\n  " + strings.Join(d.wrong, "\n  "))
	}
	fmt.Fprintf(out, "\nAll of it is as promised. The ledger proves %d entries of it; check them: %s\n", entries, check)
	return nil
}

// demo is one run.
type demo struct {
	out    io.Writer
	start  time.Time
	local  *dev.Local
	aws    aws.Config
	queues *sqs.Client
	acts   []act
	wrong  []string
}

// put puts a message on a queue.
func (d *demo) put(ctx context.Context, queue, id, text string) error {
	url := dev.QueueURL(d.local.AWSURL, queue)
	if _, err := d.queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &text}); err != nil {
		return fmt.Errorf("send %s: %w", id, err)
	}
	return nil
}

// act is one message of a demo, and its attempts as they were seen.
type act interface {
	name() string
	seen() *[]attempt.Record
	check() (wrong []string)
}

// follow asks the API what became of each message and prints every attempt,
// until all of them have ended.
func (d *demo) follow(ctx context.Context, acts []act, show func(act, attempt.Record)) error {
	d.acts = acts
	api := &reach.APIFlags{API: d.local.HTTPURL}
	for open := acts; len(open) > 0; {
		var still []act
		for _, a := range open {
			attempts, err := deliveries.AttemptsOf(ctx, api, a.name())
			if err != nil {
				return err
			}
			for _, r := range attempts[min(len(*a.seen()), len(attempts)):] {
				*a.seen() = append(*a.seen(), r)
				show(a, r)
			}
			if n := len(attempts); n == 0 || !attempts[n-1].Verdict.Final() {
				still = append(still, a)
			} else {
				d.wrong = append(d.wrong, a.check()...)
			}
		}
		open = still
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d of %d messages have not ended after %s", len(open), len(acts), time.Since(d.start).Round(time.Second))
		}
	}
	return nil
}

// show prints an attempt, and below or beside it what came of it.
func (d *demo) show(attempt, what string) {
	screen := terminal.Screen{Out: d.out}
	if d.out == os.Stdout {
		screen = terminal.Stdout()
	}
	_ = screen.Beside(attempt, what, 10) // the demo's end tells whether it went well
}

// after is when an attempt ended.
func (d *demo) after(r attempt.Record) float64 {
	return (r.At.Sub(d.start) + time.Duration(r.DurationMS)*time.Millisecond).Seconds()
}

// checkFailures reads a dead-letter queue: what could not be sent is there,
// moved by SQS itself.
func (d *demo) checkFailures(ctx context.Context, queue, source string, want []string, idOf func(string) string) error {
	fmt.Fprintf(d.out, "\nWhat could not be sent is in the queue %q, moved there by SQS:\n", queue)
	url, found := dev.QueueURL(d.local.AWSURL, queue), map[string]bool{}
	for len(found) < len(want) {
		out, err := d.queues.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
			QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: 5,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAll},
		})
		if err != nil {
			return fmt.Errorf("receive from %s: %w", queue, err)
		}
		if len(out.Messages) == 0 {
			d.wrong = append(d.wrong, fmt.Sprintf("%s holds %d messages, promised are %d", queue, len(found), len(want)))
			break
		}
		for _, m := range out.Messages {
			id, from := idOf(aws.ToString(m.Body)), m.Attributes[string(types.MessageSystemAttributeNameDeadLetterQueueSourceArn)]
			found[id] = true
			fmt.Fprintf(d.out, "  %-10s DeadLetterQueueSourceArn=%s\n", id, from)
			if from != dev.QueueARN(source) {
				d.wrong = append(d.wrong, fmt.Sprintf("%s: its DeadLetterQueueSourceArn is %q", id, from))
			}
		}
	}
	for _, id := range want {
		if !found[id] {
			d.wrong = append(d.wrong, id+": it is not in "+queue)
		}
	}
	return nil
}
