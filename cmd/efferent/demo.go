package main

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
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/settings"
)

// demoLimit bounds the whole demo.
const demoLimit = 25 * time.Second

type demoCommand struct{}

func (demoCommand) Run(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, demoLimit)
	defer stop()
	return runDemo(ctx, os.Stdout)
}

// runDemo runs all of Efferent, sends to a scripted receiver through the SQS
// endpoint, and tells what happens as it does. Its error lists what differs
// from what the script promises.
func runDemo(ctx context.Context, out io.Writer) error {
	l, err := openLocal(ctx, localConfig{AWS: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: ":memory:",
		Getenv: func(string) string { return "" }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- l.Run(serving) }()
	d := &demo{out: out, start: time.Now(), local: l}
	err = d.run(ctx)
	stop()
	if err := errors.Join(err, <-ended); err != nil {
		return err
	}
	fmt.Fprintln(out, "\nAll of it is as promised.")
	return nil
}

// demo is one run.
type demo struct {
	out      io.Writer
	start    time.Time
	local    *local
	queues   *sqs.Client
	receiver *receiver
	wrong    []string
}

func (d *demo) run(ctx context.Context) error {
	config := aws.Config{Region: localRegion, BaseEndpoint: &d.local.awsURL,
		Credentials: credentials.NewStaticCredentialsProvider("demo", "demo", "")}
	d.queues = sqs.NewFromConfig(config)
	secret := generateSecret()
	if err := putSecret(ctx, secretsmanager.NewFromConfig(config), demoSecret, secret); err != nil {
		return err
	}
	var err error
	if d.receiver, err = newReceiver(secret); err != nil {
		return err
	}
	defer d.receiver.close()
	fmt.Fprintf(d.out, "Efferent runs in this process: SQS and Secrets Manager on %s, the API on %s.\n"+
		"Four webhooks go onto the queue \"webhooks\", for a receiver on this machine:\n\n", d.local.awsURL, d.local.httpURL)
	deliveries := d.receiver.script()
	for _, p := range deliveries {
		if err := d.send(ctx, p); err != nil {
			return err
		}
		fmt.Fprintf(d.out, "  %-10s %s\n", p.id, p.story)
	}
	fmt.Fprintf(d.out, "\n%8s  %-10s %-7s %-6s %-10s %s\n", "AFTER", "WEBHOOK", "ATTEMPT", "STATUS", "VERDICT", "")
	if err := d.follow(ctx, deliveries); err != nil {
		return err
	}
	if err := d.checkFailures(ctx, deliveries); err != nil {
		return err
	}
	for _, p := range deliveries {
		d.wrong = append(d.wrong, d.receiver.check(p)...)
	}
	if len(d.wrong) > 0 {
		return errors.New("this is not as promised:\n  " + strings.Join(d.wrong, "\n  "))
	}
	return nil
}

func (d *demo) send(ctx context.Context, p *promise) error {
	c := sendCommand{URL: p.url, Secret: demoSecret, Event: "demo." + p.id, Body: p.body, ID: p.id}
	text, err := c.message()
	if err != nil {
		return err
	}
	url := queueURL(d.local.awsURL, settings.WebhooksQueue)
	if _, err := d.queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &text}); err != nil {
		return fmt.Errorf("send %s: %w", p.id, err)
	}
	return nil
}

// follow asks the API what became of each delivery and prints every attempt,
// until all of them have ended.
func (d *demo) follow(ctx context.Context, deliveries []*promise) error {
	api := &apiFlags{API: d.local.httpURL}
	for open := len(deliveries); open > 0; {
		for _, p := range deliveries {
			if p.ended() {
				continue
			}
			attempts, err := attemptsOf(ctx, api, p.id)
			if err != nil {
				return err
			}
			for _, r := range attempts[min(len(p.attempts), len(attempts)):] {
				p.attempts = append(p.attempts, r)
				d.print(p, r)
			}
			if p.ended() {
				open--
				d.wrong = append(d.wrong, p.check()...)
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%d of %d deliveries have not ended after %s", open, len(deliveries), time.Since(d.start).Round(time.Second))
		}
	}
	return nil
}

func (d *demo) print(p *promise, r attempt.Record) {
	what := r.Reason
	switch {
	case r.Verdict == attempt.Delivered:
		what = "both signatures are right"
	case !r.NextAt.IsZero():
		what += fmt.Sprintf("; next try in %s", r.NextAt.Sub(r.At).Round(time.Second))
	}
	after := r.At.Sub(d.start) + time.Duration(r.DurationMS)*time.Millisecond
	fmt.Fprintf(d.out, "%7.2fs  %-10s %-7d %-6s %-10s %s\n", after.Seconds(), p.id, r.Attempt, statusText(r.Status), r.Verdict, what)
}
