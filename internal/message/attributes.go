package message

import (
	"strconv"
	"time"
)

// ReceiveCount is how many times a message was received, by its attributes
// (SQS's ApproximateReceiveCount). Where that can't be read the message counts
// as received before, so that its history is looked at.
func ReceiveCount(attributes map[string]string) int {
	n, err := strconv.Atoi(attributes["ApproximateReceiveCount"])
	if err != nil {
		return 2
	}
	return n
}

// SentAt is when a message was first sent, by its attributes (SQS's
// SentTimestamp): its move to the dead-letter queue does not change that. It is
// zero where that can't be read.
func SentAt(attributes map[string]string) time.Time {
	millis, err := strconv.ParseInt(attributes["SentTimestamp"], 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(millis).UTC()
}

// RedrivenAt is when a message was received for the first time after a redrive
// that kept its id, zero where there was none. SQS gives a redriven message a
// new id; LocalStack keeps the id, the receive count and
// DeadLetterQueueSourceArn, which no message has in its own queue otherwise,
// and only ApproximateFirstReceiveTimestamp is new.
func RedrivenAt(attributes map[string]string) time.Time {
	millis, err := strconv.ParseInt(attributes["ApproximateFirstReceiveTimestamp"], 10, 64)
	if attributes["DeadLetterQueueSourceArn"] == "" || err != nil {
		return time.Time{}
	}
	return time.UnixMilli(millis)
}
