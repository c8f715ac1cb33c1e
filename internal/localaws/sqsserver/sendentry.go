package sqsserver

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// sendEntry is one message to send, as both sends know it. Its DelaySeconds
// is not used: a delay of 0 differs from none.
type sendEntry struct {
	types.SendMessageBatchRequestEntry
	delay *int32
	// header is the request's X-Amzn-Trace-Id, empty when there is none.
	header string
}

// sending is a message on its way in.
type sending struct {
	entry   *sendEntry
	content *content
	stored  Content
	delay   time.Duration
	message *message
	id      [16]byte // of the message, once it has been sent
	seq     int64

	// On a FIFO queue: its deduplication id, the record made of it, or that
	// of the earlier send which this one repeats.
	dedupKey dedupKey
	dedup    *dedup
	original *dedup
}

// identifier is what group and deduplication ids may hold ("SendMessage").
var identifier = regexp.MustCompile("^[a-zA-Z0-9!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~]{1,128}$")

// check says what is wrong with e, and gives what it will send. An entry of a
// batch whose parameters are wrong is told so in other words than a message
// that is sent alone.
func (e *sendEntry) check(c *config, wrong string) (*sending, error) {
	body := aws.ToString(e.MessageBody)
	if body == "" {
		return nil, missingParameter("MessageBody")
	}
	if !validCharacters(body) {
		return nil, invalidMessageContents()
	}
	size, err := checkAttributes(e.MessageAttributes)
	if err != nil {
		return nil, err
	}
	if size += len(body); size > c.maxSize {
		return nil, invalidParameter("One or more parameters %s. Reason: Message must be shorter than %d bytes.", wrong, c.maxSize)
	}
	trace, err := e.trace()
	if err != nil {
		return nil, err
	}
	s := &sending{entry: e, delay: c.delay}
	if err := s.checkOrder(c); err != nil {
		return nil, err
	}
	s.content = newContent(body, trace, e.MessageAttributes, size)
	if c.fifo {
		s.dedupKey = e.dedupKey(c, body)
	}
	if s.stored, err = s.content.stored(); err != nil {
		return nil, invalidParameter("The message attributes cannot be kept: %v", err)
	}
	return s, nil
}

// size is what e weighs, right or wrong.
func (e *sendEntry) size() int {
	n := len(aws.ToString(e.MessageBody))
	for name, v := range e.MessageAttributes {
		n += len(name) + len(aws.ToString(v.DataType)) + len(aws.ToString(v.StringValue)) + len(v.BinaryValue)
	}
	return n
}

// trace is the one system attribute that can be sent. It goes before the
// header ("Amazon SQS and AWS X-Ray").
func (e *sendEntry) trace() (string, error) {
	for name, v := range e.MessageSystemAttributes {
		if name != string(types.MessageSystemAttributeNameForSendsAWSTraceHeader) {
			return "", invalidParameter("Message system attribute name '%s' is invalid.", shorten(name))
		}
		if aws.ToString(v.DataType) != "String" || aws.ToString(v.StringValue) == "" {
			return "", invalidParameter("The message system attribute '%s' must contain a non-empty value of type 'String'.", name)
		}
		if !validCharacters(*v.StringValue) {
			return "", invalidMessageContents()
		}
		return *v.StringValue, nil
	}
	if !validCharacters(e.header) {
		return "", nil
	}
	return e.header, nil
}

// dedupKey is what the message is known by for five minutes.
func (e *sendEntry) dedupKey(c *config, body string) (k dedupKey) {
	if c.dedupPerGroup {
		k.scope = *e.MessageGroupId
	}
	if e.MessageDeduplicationId != nil {
		k.id = *e.MessageDeduplicationId
		return k
	}
	sum := sha256.Sum256([]byte(body))
	k.id = hex.EncodeToString(sum[:])
	return k
}

// checkIDs: a batch for a FIFO queue is refused whole when one of its entries
// has no group, or nothing to deduplicate it by (LocalStack's snapshots of
// test_send_batch_missing_message_group_id_for_fifo_queue and
// test_send_batch_missing_deduplication_id_for_fifo_queue, recorded on AWS).
func checkIDs(entries []sendEntry, c *config) error {
	if !c.fifo {
		return nil
	}
	for i := range entries {
		switch e := &entries[i]; {
		case e.MessageGroupId == nil:
			return invalidParameter("The request must contain the parameter MessageGroupId.")
		case e.MessageDeduplicationId == nil && !c.contentDedup:
			return noDeduplicationID()
		}
	}
	return nil
}

func noDeduplicationID() error {
	return invalidParameter("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
}

// checkOrder checks what FIFO and standard queues treat differently.
func (s *sending) checkOrder(c *config) error {
	e := s.entry
	if d := e.delay; d != nil {
		switch {
		case c.fifo && *d != 0:
			return invalidValue("DelaySeconds", *d, "The request include parameter that is not valid for this queue type.")
		case *d < 0 || *d > 900:
			return invalidValue("DelaySeconds", *d, "DelaySeconds must be >= 0 and <= 900.")
		case !c.fifo:
			s.delay = time.Duration(*d) * time.Second
		}
	}
	if e.MessageGroupId != nil && !identifier.MatchString(*e.MessageGroupId) {
		return invalidValue("MessageGroupId", *e.MessageGroupId, "MessageGroupId can only include alphanumeric and punctuation characters. 1 "+
			"to 128 in length.")
	}
	if e.MessageDeduplicationId != nil && !identifier.MatchString(*e.MessageDeduplicationId) {
		return invalidValue("MessageDeduplicationId", *e.MessageDeduplicationId,
			"MessageDeduplicationId can only include alphanumeric and punctuation characters. 1 to 128 in length.")
	}
	switch {
	case !c.fifo && e.MessageDeduplicationId != nil:
		return invalidValue("MessageDeduplicationId", *e.MessageDeduplicationId,
			"The request include parameter that is not valid for this queue type.")
	case c.fifo && e.MessageGroupId == nil:
		return missingParameter("MessageGroupId")
	case c.fifo && e.MessageDeduplicationId == nil && !c.contentDedup:
		return noDeduplicationID()
	}
	return nil
}
