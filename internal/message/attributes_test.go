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
