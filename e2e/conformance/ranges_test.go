package conformance

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// rangeChecks: each numeric attribute takes its range, at both operations.
var rangeChecks = func() (list []check) {
	for _, r := range []struct {
		attribute string
		low, high int
	}{
		{"DelaySeconds", 0, 900},
		{"MaximumMessageSize", 1024, 1 << 20},
		{"MessageRetentionPeriod", 60, 1209600},
		{"ReceiveMessageWaitTimeSeconds", 0, 20},
		{"VisibilityTimeout", 0, 43200},
		{"KmsDataKeyReusePeriodSeconds", 60, 86400},
	} {
		list = append(list,
			check{name: "create/range-of-" + r.attribute, page: api("CreateQueue"), run: func(c *C) {
				for _, value := range outside(r.low, r.high) {
					c.at = value
					_, err := c.create(c.name(), attrs{r.attribute: value})
					fails[*types.InvalidAttributeValue](c, err)
				}
				for _, n := range []int{r.low, r.high} {
					c.at = n
					equal(c, r.attribute, c.attribute(c.queue(attrs{r.attribute: strconv.Itoa(n)}), r.attribute), strconv.Itoa(n))
				}
			}},
			check{name: "attributes/range-of-" + r.attribute, page: api("SetQueueAttributes"), run: func(c *C) {
				url := c.queue(nil)
				before := c.attribute(url, r.attribute)
				for _, value := range outside(r.low, r.high) {
					c.at = value
					fails[*types.InvalidAttributeValue](c, c.set(url, attrs{r.attribute: value}))
				}
				equal(c, r.attribute, c.attribute(url, r.attribute), before)
				for _, n := range []int{r.low, r.high} {
					c.at = n
					c.must(c.set(url, attrs{r.attribute: strconv.Itoa(n)}))
					equal(c, r.attribute, c.attribute(url, r.attribute), strconv.Itoa(n))
				}
			}})
	}
	return list
}()

func outside(low, high int) []string {
	return []string{strconv.Itoa(low - 1), strconv.Itoa(high + 1), "many", "1.5"}
}
