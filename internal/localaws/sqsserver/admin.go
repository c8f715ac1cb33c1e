package sqsserver

import (
	"context"
	"encoding/json"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// queueName: "CreateQueue" in the API reference.
var queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func checkQueueName(name string) error {
	base, fifo := strings.CutSuffix(name, ".fifo")
	if !queueName.MatchString(base) || fifo && len(name) > 80 {
		return invalidParameter("Can only include alphanumeric characters, hyphens, or underscores. " +
			"1 to 80 in length, with the suffix .fifo on a FIFO queue")
	}
	return nil
}

// CreateQueue makes a queue, or finds the one of that name when it has the
// attributes and tags that are given.
func (e *Engine) CreateQueue(ctx context.Context, in *sqs.CreateQueueInput, _ ...func(*sqs.Options)) (*sqs.CreateQueueOutput, error) {
	name := aws.ToString(in.QueueName)
	if name == "" {
		return nil, missingParameter("QueueName")
	}
	if err := checkQueueName(name); err != nil {
		return nil, err
	}
	if err := checkTags(name, in.Tags); err != nil {
		return nil, err
	}
	e.admin.Lock()
	defer e.admin.Unlock()
	at := e.placed(e.from(ctx), name)
	if err := e.findOrCreate(ctx, at, in.Attributes, in.Tags); err != nil {
		return nil, err
	}
	return &sqs.CreateQueueOutput{QueueUrl: aws.String(at.url())}, nil
}

func (e *Engine) findOrCreate(ctx context.Context, at placed, set, tags map[string]string) error {
	if err := e.running(); err != nil {
		return err
	}
	if q, err := e.named(at); err == nil {
		return q.same(set, tags)
	}
	return e.createQueue(ctx, at, set, tags)
}

func (e *Engine) createQueue(ctx context.Context, at placed, set, tags map[string]string) error {
	fifo := strings.HasSuffix(at.name, ".fifo")
	if wants := normal("FifoQueue", set["FifoQueue"]) == "true"; wants != fifo {
		return invalidParameter("The name of a FIFO queue can only include alphanumeric characters, hyphens, or " +
			"underscores, must end with .fifo suffix and be 1 to 80 in length, and FifoQueue must then be true.")
	}
	c, err := newConfig(fifo, defaults(fifo), set)
	if err != nil {
		return err
	}
	if err := e.checkRedrive(c, at); err != nil {
		return err
	}
	now := e.now()
	r := QueueRecord{ID: e.lastID + 1, Name: e.key(at), Created: now, Modified: now, Attributes: c.attributes, Tags: maps.Clone(tags)}
	if err := e.apply(ctx, &Changes{PutQueues: []QueueRecord{r}}); err != nil {
		return internalFailure("The queue was not created", err)
	}
	e.lastID = r.ID
	e.mu.Lock()
	defer e.mu.Unlock()
	e.queues[r.Name] = e.newQueue(r, c)
	return nil
}

// same is nil when q has what is given. What is not given may differ.
func (q *queue) same(set, tags map[string]string) error {
	has := q.config.Load().attributes
	for _, name := range slices.Sorted(maps.Keys(set)) {
		value := normal(name, set[name])
		if name == kmsReuse && has[name] == "" && value == kmsReuseDefault {
			continue
		}
		if !sameValue(has[name], value) {
			return queueNameExists("attribute " + name)
		}
	}
	if len(tags) > 0 && !maps.Equal(tags, q.row.Load().Tags) {
		return queueNameExists("tags")
	}
	return nil
}

// sameValue compares policies as JSON, so that spaces and order do not count.
func sameValue(a, b string) bool {
	var x, y any
	return a == b || json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && reflect.DeepEqual(x, y)
}

// GetQueueUrl finds a queue by its name.
func (e *Engine) GetQueueUrl(ctx context.Context, in *sqs.GetQueueUrlInput, _ ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	if aws.ToString(in.QueueName) == "" {
		return nil, missingParameter("QueueName")
	}
	p := e.from(ctx)
	if owner := aws.ToString(in.QueueOwnerAWSAccountId); owner != "" {
		p.account = owner
	}
	q, err := e.named(e.placed(p, *in.QueueName))
	if err != nil {
		return nil, err
	}
	return &sqs.GetQueueUrlOutput{QueueUrl: aws.String(q.url())}, nil
}

// SetQueueAttributes replaces the attributes that are given.
func (e *Engine) SetQueueAttributes(ctx context.Context, in *sqs.SetQueueAttributesInput, _ ...func(*sqs.Options)) (
	*sqs.SetQueueAttributesOutput, error) {
	if len(in.Attributes) == 0 {
		return nil, missingParameter("Attributes")
	}
	e.admin.Lock()
	defer e.admin.Unlock()
	q, err := e.at(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := e.setAttributes(ctx, q, in.Attributes); err != nil {
		return nil, err
	}
	return &sqs.SetQueueAttributesOutput{}, nil
}

// setAttributes needs admin.
func (e *Engine) setAttributes(ctx context.Context, q *queue, changes map[string]string) error {
	c, err := newConfig(q.fifo, q.config.Load().attributes, changes)
	if err != nil {
		return err
	}
	if _, given := changes["RedrivePolicy"]; given {
		err = e.checkRedrive(c, q.placed)
	}
	if err != nil {
		return err
	}
	r := *q.row.Load()
	r.Modified, r.Attributes = e.now(), c.attributes
	states := q.redelay(c.delay)
	if err := e.replaceRow(ctx, q, r, states...); err != nil {
		return internalFailure("The attributes were not set", err)
	}
	q.config.Store(c)
	q.redelayed(e, states)
	return nil
}

// GetQueueAttributes gives the attributes that are asked for and set.
func (e *Engine) GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, _ ...func(*sqs.Options)) (
	*sqs.GetQueueAttributesOutput, error) {
	q, err := e.at(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	all := e.allAttributes(q)
	out := &sqs.GetQueueAttributesOutput{}
	for _, name := range in.AttributeNames {
		if name == types.QueueAttributeNameAll {
			out.Attributes = all
			return out, nil
		}
		if !slices.Contains(name.Values(), name) {
			return nil, invalidAttributeName(string(name))
		}
		if v, ok := all[string(name)]; ok {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[string(name)] = v
		}
	}
	return out, nil
}

func (e *Engine) allAttributes(q *queue) map[string]string {
	q.mu.Lock()
	q.advance(e.now())
	counts := q.counts
	q.mu.Unlock()
	all := maps.Clone(q.config.Load().attributes)
	set := func(name types.QueueAttributeName, n int64) { all[string(name)] = strconv.FormatInt(n, 10) }
	all[string(types.QueueAttributeNameQueueArn)] = q.arn
	set(types.QueueAttributeNameCreatedTimestamp, q.row.Load().Created/1000)
	set(types.QueueAttributeNameLastModifiedTimestamp, q.row.Load().Modified/1000)
	set(types.QueueAttributeNameApproximateNumberOfMessages, int64(counts[ready]+counts[moving]))
	set(types.QueueAttributeNameApproximateNumberOfMessagesNotVisible, int64(counts[inFlight]+counts[deleting]))
	set(types.QueueAttributeNameApproximateNumberOfMessagesDelayed, int64(counts[delayed]))
	return all
}
