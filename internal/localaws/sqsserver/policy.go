package sqsserver

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// redrivePolicy is a source queue's: where its dead letters go, and after how
// many receives.
type redrivePolicy struct {
	DeadLetterTargetArn string    `json:"deadLetterTargetArn"`
	MaxReceiveCount     *laxInt32 `json:"maxReceiveCount"`
}

// laxInt32 is a number that may stand in quotes, as AWS lets maxReceiveCount.
type laxInt32 int32

func (p *redrivePolicy) String() string {
	b, _ := json.Marshal(p) // a text and a number
	return string(b)
}

func (n *laxInt32) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 32)
	*n = laxInt32(v)
	return err
}

// queueARN: "Policies and permissions in Amazon SQS".
var queueARN = regexp.MustCompile(`^arn:[a-z-]+:sqs:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+$`)

func parseRedrivePolicy(policy string) (*redrivePolicy, error) {
	p := &redrivePolicy{}
	if err := json.Unmarshal([]byte(policy), p); err != nil {
		return nil, invalidValue("RedrivePolicy", policy, "Cannot parse it: "+err.Error())
	}
	switch {
	case p.MaxReceiveCount == nil:
		return nil, invalidValue("RedrivePolicy", policy, "Redrive policy does not contain mandatory attribute: maxReceiveCount.")
	case p.DeadLetterTargetArn == "":
		return nil, invalidValue("RedrivePolicy", policy, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	case !queueARN.MatchString(p.DeadLetterTargetArn):
		return nil, invalidValue("RedrivePolicy", policy, "Invalid value for deadLetterTargetArn.")
	case *p.MaxReceiveCount < 1 || *p.MaxReceiveCount > 1000:
		return nil, invalidValue("RedrivePolicy", policy, "Invalid value for maxReceiveCount: must be from 1 to 1000.")
	}
	return p, nil
}

// redriveAllowPolicy is a dead-letter queue's: which queues may use it as such.
// The zero value lets all ("SetQueueAttributes" in the API reference).
type redriveAllowPolicy struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns"`
}

// The permissions.
const (
	allowAll = "allowAll"
	denyAll  = "denyAll"
	byQueue  = "byQueue"
)

// maxAllowedSources is how many queues byQueue may name.
const maxAllowedSources = 10

func parseRedriveAllowPolicy(policy string) (p redriveAllowPolicy, err error) {
	invalid := func(reason string) (redriveAllowPolicy, error) {
		return redriveAllowPolicy{}, invalidValue("RedriveAllowPolicy", policy, "Amazon SQS can't create the redrive allow policy. "+reason)
	}
	if err := json.Unmarshal([]byte(policy), &p); err != nil {
		return invalid("Cannot parse it: " + err.Error())
	}
	switch {
	case !slices.Contains([]string{"", allowAll, denyAll, byQueue}, p.Permission):
		return invalid("redrivePermission must be allowAll, denyAll or byQueue.")
	case p.Permission != byQueue && len(p.Sources) > 0:
		return invalid("To specify one or more source queue ARNs, you must set redrivePermission to byQueue.")
	case p.Permission == byQueue && len(p.Sources) == 0:
		return invalid("When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values.")
	case len(p.Sources) > maxAllowedSources:
		return invalid("The maximum number of source queue ARNs you can specify is 10.")
	}
	return p, nil
}

// allows is whether the queue with this ARN may use the queue whose policy it
// is as its dead-letter queue.
func (p redriveAllowPolicy) allows(arn string) bool {
	switch p.Permission {
	case denyAll:
		return false
	case byQueue:
		return slices.Contains(p.Sources, arn)
	}
	return true
}

// checkRedrive: the dead-letter queue must exist, be of the same region,
// account and type, and let this queue use it.
func (e *Engine) checkRedrive(c *config, source placed) error {
	if c.redrive == nil {
		return nil
	}
	policy := c.attributes["RedrivePolicy"]
	dlq := e.byARN(c.redrive.DeadLetterTargetArn)
	switch {
	case dlq == nil:
		return invalidValue("RedrivePolicy", policy, "Dead letter target does not exist.")
	case dlq.place != source.place:
		return invalidValue("RedrivePolicy", policy, "Dead letter target must have the region and owner of the source.")
	case dlq.fifo != c.fifo:
		return invalidValue("RedrivePolicy", policy, "Dead-letter queue must be same type of queue as the source.")
	case !dlq.config.Load().redriveAllow.allows(source.arn()):
		return invalidValue("RedrivePolicy", policy, "The RedriveAllowPolicy of the dead-letter queue does not let this queue use it.")
	}
	return nil
}
