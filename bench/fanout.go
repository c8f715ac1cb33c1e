package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	registered "github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/sqlite"
)

// tenants is how many publish events, in turn.
const tenants = 20

// fanLoad is a load of events, each of which goes to so many registered endpoints.
type fanLoad int

func (f fanLoad) String() string { return fmt.Sprintf("… by events, a fan-out of %d", int(f)) }

// measure is as load.measure has it, of n deliveries in all.
func (f fanLoad) measure(efferent string, s *sinkProcess, n int) (result, error) {
	d, err := startDevWith(efferent, func(data string) error { return f.register(data, s.url) })
	if err != nil {
		return result{}, err
	}
	defer os.RemoveAll(d.dir)
	if _, err := s.arrivals("?forget"); err != nil {
		return result{}, err
	}
	start := time.Now()
	sendErr := self("publish", d.awsURL, fmt.Sprint(n/int(f))).Run()
	a, err := s.wait(n)
	cpu, stopErr := d.stop()
	if err := errors.Join(sendErr, err, stopErr); err != nil {
		return result{}, err
	}
	if a.Count != n {
		return result{}, fmt.Errorf("%d requests arrived for %d deliveries", a.Count, n)
	}
	return result{Webhooks: n, Seconds: a.Last.Sub(start).Seconds(), CPU: cpu}, nil
}

// register gives each tenant its endpoints, in a data file that nobody uses yet. One
// more than get the events subscribes to something else.
func (f fanLoad) register(data, url string) error {
	db, err := sqlite.Open(data)
	if err != nil {
		return err
	}
	kept, now := sqlite.NewEndpoints(db), time.Now().UTC()
	for t := range tenants {
		for i := range int(f) + 1 {
			e := registered.Endpoint{
				ID: fmt.Sprintf("ep_bench%dx%d", t, i), Tenant: tenant(t), URL: fmt.Sprintf("%s/in/%d/%d", url, t, i), EventTypes: []string{"bench.*"},
				Secret: secretName, State: registered.Enabled, Created: now, Updated: now, Version: 1,
			}
			if i == int(f) {
				e.EventTypes = []string{"other"}
			}
			if err := kept.CreateEndpoint(context.Background(), e, 100); err != nil {
				return errors.Join(err, db.Close())
			}
		}
	}
	return db.Close()
}

func tenant(n int) string { return fmt.Sprintf("tenant-%02d", n%tenants) }

// publish is the publisher process: n events in batches of ten from four goroutines.
func publish(args []string) error {
	awsURL, n := args[0], number(args[1])
	client, queue := sqs.NewFromConfig(config(awsURL)), awsURL+"/000000000000/events"
	return inParallel((n+9)/10, 4, func(i int) error {
		var entries []types.SendMessageBatchRequestEntry
		for k := i * 10; k < min(n, i*10+10); k++ {
			id, body := fmt.Sprint(k), eventText(k)
			entries = append(entries, types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body})
		}
		out, err := client.SendMessageBatch(context.Background(), &sqs.SendMessageBatchInput{QueueUrl: &queue, Entries: entries})
		if err == nil && len(out.Failed) > 0 {
			err = fmt.Errorf("%d of a batch were refused", len(out.Failed))
		}
		return err
	})
}

// eventText is an event of a tenant.
func eventText(n int) string {
	return fmt.Sprintf(`{"id":"evt-%08d","tenant":%q,"event_type":"bench.run","body":%s}`, n, tenant(n), payload)
}

// dataOf is the data file in a folder of dev.
func dataOf(dir string) string { return filepath.Join(dir, "bench.db") }
