package attempt

import "strconv"

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
