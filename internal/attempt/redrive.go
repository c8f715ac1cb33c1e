package attempt

import (
	"strconv"
	"time"
)

// BeforeRedrive is the number of the last attempt that was made before a
// message was redriven under its old id, 0 if it was not. SQS gives a redriven
// message a new id; LocalStack keeps the id, the receive count and
// DeadLetterQueueSourceArn, which no message has in its own queue otherwise,
// and only ApproximateFirstReceiveTimestamp is new. History is the message's
// attempts in order, attributes are its system attributes.
func BeforeRedrive(history []Record, attributes map[string]string) (last int) {
	millis, err := strconv.ParseInt(attributes["ApproximateFirstReceiveTimestamp"], 10, 64)
	if attributes["DeadLetterQueueSourceArn"] == "" || err != nil {
		return 0
	}
	since := time.UnixMilli(millis)
	for _, r := range history {
		if r.At.Before(since) {
			last = r.Attempt
		}
	}
	return last
}
