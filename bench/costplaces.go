package main

import (
	"context"
	"fmt"
	"time"

	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// places prints what is read to let out all that waits in one place, and of twice
// as many.
func places(ctx context.Context, _ int) error {
	fmt.Printf("\nread units for each message that leaves a place of the waiting room:\n%12s %16s %16s\n",
		"in the place", "due at a time", "for a circuit")
	for _, n := range []int{2500, 10_000, 20_000} {
		due, err := leaving(ctx, n, "")
		if err != nil {
			return err
		}
		held, err := leaving(ctx, n, "endpoint-00000000000000000000000000000000")
		if err != nil {
			return err
		}
		fmt.Printf("%12d %16.2f %16.2f\n", n, due, held)
	}
	return nil
}

// takesAll is a queue that takes every message.
type takesAll struct{}

func (takesAll) Send(_ context.Context, _ string, messages []waiting.Outgoing) (sent []int, _ error) {
	for n := range messages {
		sent = append(sent, n)
	}
	return sent, nil
}

// leaving has n items leave one place, in runs a minute apart, and returns how many
// units were read for each.
func leaving(ctx context.Context, n int, circuit string) (each float64, err error) {
	b := newBill()
	now := time.Date(2026, 11, 10, 12, 0, 0, 123_456_789, time.UTC)
	clock := func() time.Time { return now }
	room := &awsdynamodb.Waiting{API: newTable("place", "position", b, clock), Table: "waiting", Now: clock}
	exit := &waiting.Exit{Places: room, Sender: takesAll{}, Now: clock, Holder: "bench"}
	place, err := filled(ctx, room, n, circuit, now)
	if err != nil {
		return 0, err
	}
	b.used["rru"] = 0
	for left := n; left > 0; {
		now = now.Add(time.Minute)
		var gone waiting.Gone
		if circuit == "" {
			gone, err = exit.SendDue(ctx, place, 90*time.Second)
		} else {
			gone, err = exit.SendHeld(ctx, circuit, func(n int, _ *waiting.Item) waiting.Turn { return waiting.Turn{Go: n < 5000} })
		}
		if err != nil || gone.Count == 0 {
			return 0, fmt.Errorf("%d of %d stay: %w", left, n, err)
		}
		left -= gone.Count
	}
	return b.used["rru"] / float64(n), nil
}

// filled puts n items into one place.
func filled(ctx context.Context, room *awsdynamodb.Waiting, n int, circuit string, now time.Time) (place waiting.Place, err error) {
	for i := 0; n > 0; i++ {
		item := waiting.Item{
			Queue: "webhooks", MessageID: fmt.Sprintf("5f680490-d821-4da4-a61c-%012d", i), Attempt: 1, State: waiting.Waiting, Circuit: circuit,
			Due: now.Truncate(time.Minute).Add(time.Minute + time.Duration(i)*time.Microsecond), Since: now,
			Body:    webhookText(fmt.Sprintf("evt_01KBFZ3V9Q4T2M7C%010d", i), "https://hooks.example.com/in", invoice(i)),
			Carried: message.Carried{Attempts: 1}, WebhookID: fmt.Sprintf("evt_01KBFZ3V9Q4T2M7C%010d", i),
		}
		switch {
		case place == "":
			place = item.Place()
		case item.Place() != place: // another shard
			continue
		}
		if _, err := room.Enter(ctx, item); err != nil {
			return "", err
		}
		n--
	}
	return place, nil
}
