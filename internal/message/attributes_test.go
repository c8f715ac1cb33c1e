package message

import (
	"testing"
	"time"
)

func TestAttributes(t *testing.T) {
	t.Parallel()
	at := time.UnixMilli(1_795_000_000_123).UTC()
	for _, c := range []struct {
		count, sent string
		receives    int
		at          time.Time
	}{
		{"1", "1795000000123", 1, at},
		{"7", "1795000000123", 7, at},
		// What can't be read was received before, at no known time.
		{"", "", 2, time.Time{}},
		{"x", "x", 2, time.Time{}},
	} {
		attributes := map[string]string{"ApproximateReceiveCount": c.count, "SentTimestamp": c.sent}
		if got := ReceiveCount(attributes); got != c.receives {
			t.Errorf("%q was received %d times, want %d", c.count, got, c.receives)
		}
		if got := SentAt(attributes); got != c.at {
			t.Errorf("%q was sent at %v, want %v", c.sent, got, c.at)
		}
	}
}

// A message in its own queue has no DeadLetterQueueSourceArn, however often it
// was received, unless it came back from the dead-letter queue under its id.
func TestRedrivenAt(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:sqs:us-east-1:000000000000:webhook-failures"
	for _, c := range []struct {
		arn, first string
		want       time.Time
	}{
		{"", "1795000000123", time.Time{}},
		{arn, "1795000000123", time.UnixMilli(1_795_000_000_123)},
		{arn, "", time.Time{}},
		{arn, "x", time.Time{}},
	} {
		got := RedrivenAt(map[string]string{"DeadLetterQueueSourceArn": c.arn, "ApproximateFirstReceiveTimestamp": c.first})
		if !got.Equal(c.want) {
			t.Errorf("from %q, first received at %q: redriven at %v, want %v", c.arn, c.first, got, c.want)
		}
	}
}

// TestCarriedBy reads what Attributes has written, and no id that is none.
func TestCarriedBy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ wrote, want Carried }{
		{Carried{ID: "evt_1", Origin: "m-1", Attempts: 3, First: time.UnixMilli(1), Retry: "replay"},
			Carried{ID: "evt_1", Origin: "m-1", Retry: "replay"}},
		{Carried{Retry: "replay"}, Carried{Retry: "replay"}},
		{Carried{ID: "no id", Origin: "no id", Retry: "seed"}, Carried{Retry: "seed"}},
		{Carried{}, Carried{}},
	} {
		attributes := c.wrote.Attributes()
		got := CarriedBy(func(name string) *string {
			if text, ok := attributes[name]; ok {
				return &text
			}
			return nil
		})
		if got != c.want {
			t.Errorf("%+v is read as %+v, want %+v", c.wrote, got, c.want)
		}
	}
}
