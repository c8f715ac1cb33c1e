package sqsserver

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// maxMessageSize is the most that a message, and a batch of messages, may
// weigh in bytes ("Amazon SQS message quotas").
const maxMessageSize = 1 << 20

// config is a queue's attributes, parsed. It is never changed, only replaced.
type config struct {
	attributes map[string]string // what was set, and the defaults
	fifo       bool

	visibility, delay, retention, wait time.Duration
	maxSize                            int
	contentDedup, dedupPerGroup        bool
	redrive                            *redrivePolicy
	redriveAllow                       redriveAllowPolicy
}

// attribute is one that can be set, with the values it takes
// ("SetQueueAttributes", "CreateQueue" in the API reference).
type attribute struct {
	byDefault string
	valid     func(value string) (reason string)
	// fifoOnly attributes are refused on a standard queue, with this message
	// unless it is "" ; fifoDefault is their default on a FIFO one.
	fifoOnly    bool
	notStandard string
	fifoDefault string
}

var attributes = map[types.QueueAttributeName]attribute{
	types.QueueAttributeNameDelaySeconds:                  {byDefault: "0", valid: within(0, 900)},
	types.QueueAttributeNameMaximumMessageSize:            {byDefault: strconv.Itoa(maxMessageSize), valid: within(1024, maxMessageSize)},
	types.QueueAttributeNameMessageRetentionPeriod:        {byDefault: "345600", valid: within(60, 1209600)},
	types.QueueAttributeNameReceiveMessageWaitTimeSeconds: {byDefault: "0", valid: within(0, 20)},
	types.QueueAttributeNameVisibilityTimeout:             {byDefault: "30", valid: within(0, 43200)},
	types.QueueAttributeNameRedrivePolicy:                 {valid: jsonObject},
	types.QueueAttributeNameRedriveAllowPolicy:            {valid: jsonObject},
	types.QueueAttributeNameSqsManagedSseEnabled:          {byDefault: "true", valid: oneOf("true", "false")},
	// Kept and given back, without effect.
	types.QueueAttributeNamePolicy:                       {valid: jsonObject},
	types.QueueAttributeNameKmsMasterKeyId:               {valid: func(string) string { return "" }},
	types.QueueAttributeNameKmsDataKeyReusePeriodSeconds: {valid: within(60, 86400)},

	types.QueueAttributeNameFifoQueue:                 {fifoOnly: true, fifoDefault: "true", valid: staysFIFO},
	types.QueueAttributeNameContentBasedDeduplication: {fifoOnly: true, fifoDefault: "false", valid: oneOf("true", "false")},
	types.QueueAttributeNameDeduplicationScope: {fifoOnly: true, fifoDefault: "queue", valid: oneOf("queue", "messageGroup"),
		notStandard: "You can specify the DeduplicationScope only when FifoQueue is set to true."},
	types.QueueAttributeNameFifoThroughputLimit: {fifoOnly: true, fifoDefault: "perQueue", valid: oneOf("perQueue", "perMessageGroupId"),
		notStandard: "You can specify the FifoThroughputLimit only when FifoQueue is set to true."},
}

// staysFIFO: the text is AWS's (recorded by LocalStack's snapshot of
// test_set_unsupported_attribute_fifo), as are those of notStandard
// (test_create_standard_queue_with_fifo_attribute_raises_error).
func staysFIFO(value string) string {
	if value != "true" {
		return "Modifying queue type is not supported."
	}
	return ""
}

// normal is how an attribute's value is kept and given back. AWS takes True for
// true, and gives maxReceiveCount back as a number (recorded by LocalStack's
// snapshots of test_sqs_fifo_same_dedup_id_different_message_groups and
// test_fifo_change_to_high_throughput_after_creation, and by its
// test_get_specific_queue_attribute_response).
func normal(name, value string) string {
	switch types.QueueAttributeName(name) {
	case types.QueueAttributeNameFifoQueue, types.QueueAttributeNameContentBasedDeduplication,
		types.QueueAttributeNameSqsManagedSseEnabled:
		return strings.ToLower(value)
	case types.QueueAttributeNameRedrivePolicy:
		if p, err := parseRedrivePolicy(value); err == nil {
			return p.String()
		}
	}
	return value
}

func within(low, high int) func(string) string {
	return func(value string) string {
		if n, err := strconv.Atoi(value); err != nil || n < low || n > high {
			return "Must be a number from " + strconv.Itoa(low) + " to " + strconv.Itoa(high) + "."
		}
		return ""
	}
}

func oneOf(values ...string) func(string) string {
	return func(value string) string {
		if !slices.Contains(values, value) {
			return "Must be one of " + strings.Join(values, ", ") + "."
		}
		return ""
	}
}

func jsonObject(value string) string {
	var object map[string]any
	if json.Unmarshal([]byte(value), &object) != nil {
		return "Must be a JSON object."
	}
	return ""
}

// defaults are the attributes that a queue has when none are given.
func defaults(fifo bool) map[string]string {
	set := map[string]string{}
	for name, a := range attributes {
		if a.byDefault != "" {
			set[string(name)] = a.byDefault
		}
		if fifo && a.fifoDefault != "" {
			set[string(name)] = a.fifoDefault
		}
	}
	return set
}

// newConfig is base with changes made to it, checked. An empty value takes
// an attribute that has no default away.
func newConfig(fifo bool, base, changes map[string]string) (*config, error) {
	base, err := chooseEncryption(base, changes)
	if err != nil {
		return nil, err
	}
	set := base
	for _, name := range slices.Sorted(maps.Keys(changes)) {
		value := normal(name, changes[name])
		a, known := attributes[types.QueueAttributeName(name)]
		switch {
		case !known, a.fifoOnly && !fifo && a.notStandard == "":
			return nil, invalidAttributeName(name)
		case a.fifoOnly && !fifo:
			return nil, &types.InvalidAttributeName{Message: &a.notStandard}
		}
		if value == "" && a.byDefault == "" && a.fifoDefault == "" {
			delete(set, name)
			continue
		}
		if reason := a.valid(value); reason != "" {
			return nil, invalidAttributeValue(name, reason)
		}
		set[name] = value
	}
	if set[kmsKey] == "" && set[kmsReuse] == kmsReuseDefault { // LocalStack's snapshot of test_set_queue_attributes_default_values
		delete(set, kmsReuse)
	}
	return parseConfig(fifo, set)
}

const (
	kmsKey   = string(types.QueueAttributeNameKmsMasterKeyId)
	kmsReuse = string(types.QueueAttributeNameKmsDataKeyReusePeriodSeconds)
	// kmsReuseDefault is not told of a queue without a key.
	kmsReuseDefault = "300"
)

// chooseEncryption is base with the one kind of encryption that changes ask
// for. Nothing is encrypted here; the attributes are kept and given back.
func chooseEncryption(base, changes map[string]string) (map[string]string, error) {
	const managed = string(types.QueueAttributeNameSqsManagedSseEnabled)
	byKey, byUs := changes[kmsKey] != "", normal(managed, changes[managed]) == "true"
	base = maps.Clone(base)
	switch {
	case byKey && byUs:
		return nil, &types.InvalidAttributeName{Message: aws.String("You can use one type of server-side encryption (SSE) " +
			"at one time. You can either enable KMS SSE or SQS SSE.")}
	case byKey:
		base[managed] = "false"
		if base[kmsReuse] == "" {
			base[kmsReuse] = kmsReuseDefault
		}
	case byUs:
		delete(base, kmsKey)
		delete(base, kmsReuse)
	}
	return base, nil
}

// parseConfig reads attributes that are valid each by itself.
func parseConfig(fifo bool, set map[string]string) (*config, error) {
	seconds := func(name types.QueueAttributeName) time.Duration {
		n, _ := strconv.Atoi(set[string(name)])
		return time.Duration(n) * time.Second
	}
	c := &config{
		attributes:    set,
		fifo:          fifo,
		visibility:    seconds(types.QueueAttributeNameVisibilityTimeout),
		delay:         seconds(types.QueueAttributeNameDelaySeconds),
		retention:     seconds(types.QueueAttributeNameMessageRetentionPeriod),
		wait:          seconds(types.QueueAttributeNameReceiveMessageWaitTimeSeconds),
		contentDedup:  set["ContentBasedDeduplication"] == "true",
		dedupPerGroup: set["DeduplicationScope"] == "messageGroup",
	}
	c.maxSize, _ = strconv.Atoi(set["MaximumMessageSize"])
	if set["FifoThroughputLimit"] == "perMessageGroupId" && !c.dedupPerGroup {
		return nil, invalidAttributeValue("FifoThroughputLimit",
			"perMessageGroupId needs DeduplicationScope to be messageGroup.")
	}
	var err error
	if policy, ok := set["RedrivePolicy"]; ok {
		if c.redrive, err = parseRedrivePolicy(policy); err == nil {
			set["RedrivePolicy"] = c.redrive.String() // older data files have it as it was sent
		}
	}
	if policy, ok := set["RedriveAllowPolicy"]; ok && err == nil {
		c.redriveAllow, err = parseRedriveAllowPolicy(policy)
	}
	return c, err
}
