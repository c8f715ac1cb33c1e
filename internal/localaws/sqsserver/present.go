package sqsserver

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// systemNames are the system attributes that a receive asks for.
type systemNames map[types.MessageSystemAttributeName]bool

// knownSystemNames is every system attribute that a message can have.
var knownSystemNames = func() systemNames {
	known := systemNames{}
	for _, name := range types.MessageSystemAttributeName("").Values() {
		known[name] = true
	}
	return known
}()

// parseSystemNames reads both lists; the older one has names of queue
// attributes that no message has too.
func parseSystemNames(names []types.MessageSystemAttributeName, older []types.QueueAttributeName) (systemNames, error) {
	if len(names)+len(older) == 0 {
		return nil, nil
	}
	wanted := make(systemNames, len(names)+len(older))
	for _, name := range older {
		names = append(names[:len(names):len(names)], types.MessageSystemAttributeName(name))
	}
	for _, name := range names {
		if !knownSystemNames[name] && name != types.MessageSystemAttributeName(types.QueueAttributeNameSqsManagedSseEnabled) {
			return nil, invalidAttributeName(string(name))
		}
		wanted[name] = true
	}
	if wanted[types.MessageSystemAttributeNameAll] {
		return knownSystemNames, nil
	}
	return wanted, nil
}

// attributeNames are the message attributes that a receive asks for: names,
// prefixes ("bar.*"), or all.
type attributeNames struct {
	all      bool
	names    map[string]bool
	prefixes []string
}

func parseAttributeNames(names []string) (a attributeNames) {
	for _, name := range names {
		prefix, isPrefix := strings.CutSuffix(name, ".*")
		switch {
		case name == "All" || name == ".*" || name == "*":
			a.all = true
		case isPrefix:
			a.prefixes = append(a.prefixes, prefix)
		default:
			if a.names == nil {
				a.names = map[string]bool{}
			}
			a.names[name] = true
		}
	}
	return a
}

func (a attributeNames) match(name string) bool {
	if a.all || a.names[name] {
		return true
	}
	for _, p := range a.prefixes {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// pick is the wanted part of set, nil when there is none.
func (a attributeNames) pick(set map[string]types.MessageAttributeValue) map[string]types.MessageAttributeValue {
	var picked map[string]types.MessageAttributeValue
	for name, v := range set {
		if !a.match(name) {
			continue
		}
		if picked == nil {
			picked = make(map[string]types.MessageAttributeValue, len(set))
		}
		picked[name] = v
	}
	return picked
}

// presentAll are the messages that t has, as their receiver sees them.
func (r *receiving) presentAll(q *queue, t *taken) []types.Message {
	messages := make([]types.Message, 0, len(t.messages))
	for i := range t.messages {
		if m := &t.messages[i].was; m.content != nil {
			messages = append(messages, r.present(q, m))
		}
	}
	return messages
}

// present is m as its receiver sees it.
func (r *receiving) present(q *queue, m *message) types.Message {
	handle := receipt{queue: q.id, key: m.key, received: m.received, id: m.id}
	picked := r.names.pick(m.content.attributes)
	return types.Message{
		MessageId:              aws.String(formatID(m.id)),
		ReceiptHandle:          aws.String(handle.String()),
		Body:                   &m.content.body,
		MD5OfBody:              &m.content.md5,
		MessageAttributes:      picked,
		MD5OfMessageAttributes: md5OfAttributes(picked),
		Attributes:             r.system.of(q, m),
	}
}

// of are the wanted system attributes of m, nil when there are none.
func (wanted systemNames) of(q *queue, m *message) map[string]string {
	if len(wanted) == 0 {
		return nil
	}
	set := make(map[string]string, len(wanted))
	add := func(name types.MessageSystemAttributeName, value string) {
		if wanted[name] && value != "" {
			set[string(name)] = value
		}
	}
	add(types.MessageSystemAttributeNameSenderId, senderID(q))
	add(types.MessageSystemAttributeNameSentTimestamp, strconv.FormatInt(m.sent, 10))
	add(types.MessageSystemAttributeNameApproximateReceiveCount, strconv.Itoa(int(m.received)))
	add(types.MessageSystemAttributeNameApproximateFirstReceiveTimestamp, strconv.FormatInt(m.firstReceived, 10))
	add(types.MessageSystemAttributeNameMessageGroupId, m.group.id)
	add(types.MessageSystemAttributeNameAWSTraceHeader, m.content.trace)
	add(types.MessageSystemAttributeNameDeadLetterQueueSourceArn, m.source)
	if q.fifo {
		add(types.MessageSystemAttributeNameMessageDeduplicationId, m.dedup)
		add(types.MessageSystemAttributeNameSequenceNumber, sequenceNumber(m.seq))
	}
	return set
}

// senderID is who sent a message: nobody is told apart here, so the account.
func senderID(q *queue) string { return strings.Split(q.arn, ":")[4] }

// sequenceNumber has 20 digits, as AWS's, so it can be compared as text too.
func sequenceNumber(seq int64) string { return fmt.Sprintf("%020d", seq) }
