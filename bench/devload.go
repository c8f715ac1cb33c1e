package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// load is what the whole of efferent dev is measured by: webhooks to a path of
// the sink, which asks for each so many times. A path that ends in a slash is
// that of many endpoints: each webhook's id comes behind it.
type load struct {
	name, path string
	requests   int
	// dies says that they end in the dead-letter queue.
	dies bool
}

// loads are all of them; the others are put beside the first.
var loads = []load{
	{"the whole of efferent dev", "/in", 1, false},
	{"… answered 404", "/gone", 1, true},
	// Each at an endpoint of its own: a circuit that opens would keep the others back.
	{"… 503 until exhausted", "/down/", 4, true},
}

// one measures a binary by so many webhooks to one path: for a profile, or by hand.
func one(args []string) (result, error) {
	s, err := startSink()
	if err != nil {
		return result{}, err
	}
	defer func() { _ = s.stop() }()
	if n, ok := strings.CutPrefix(args[2], "fanout"); ok {
		return fanLoad(number(n)).measure(args[0], s, number(args[1]))
	}
	for _, l := range loads {
		if strings.Trim(l.path, "/") == args[2] {
			return l.measure(args[0], s, number(args[1]))
		}
	}
	return result{}, fmt.Errorf("there is no load /%s", args[2])
}

// measure takes the time from before the first send to the last arrival, or until
// the last message is in the dead-letter queue. The CPU is all that the dev
// process took, its start and end too.
func (l load) measure(efferent string, s *sinkProcess, n int) (result, error) {
	d, err := startDev(efferent)
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(d.dir)
	if _, err := s.arrivals("?forget"); err != nil {
		return result{}, err
	}
	start := time.Now()
	sendErr := self("send", d.awsURL, s.url+l.path, fmt.Sprint(n), "0").Run()
	a, err := s.wait(n * l.requests)
	end := a.Last
	if l.dies && err == nil {
		err = d.waitForDead(n)
		end = time.Now()
	}
	cpu, stopErr := d.stop()
	if err := errors.Join(sendErr, err, stopErr); err != nil {
		return result{}, err
	}
	if a.Count != n*l.requests {
		return result{}, fmt.Errorf("%d requests arrived for %d webhooks", a.Count, n)
	}
	return result{Webhooks: n, Seconds: end.Sub(start).Seconds(), CPU: cpu}, nil
}

// waitForDead asks until n messages are in the dead-letter queue. It asks seldom,
// since answering is on the bill.
func (d *dev) waitForDead(n int) error {
	client, queue := sqs.NewFromConfig(config(d.awsURL)), d.awsURL+"/000000000000/webhook-failures"
	const parked = types.QueueAttributeNameApproximateNumberOfMessages
	for until := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		out, err := client.GetQueueAttributes(context.Background(), &sqs.GetQueueAttributesInput{
			QueueUrl: &queue, AttributeNames: []types.QueueAttributeName{parked}})
		if err != nil || out.Attributes[string(parked)] == fmt.Sprint(n) {
			return err
		}
		if time.Now().After(until) {
			return fmt.Errorf("%s of %d webhooks came to the dead-letter queue in %s", out.Attributes[string(parked)], n, patience)
		}
	}
}
