package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	awssqs "github.com/efferent/efferent/internal/aws/sqs"
)

// queueMaker makes queues as a deployment does.
type queueMaker struct {
	api      queueAPI
	prefix   string
	receives int
	// update are the attributes that queues which are there already are given; all
	// of them by "all".
	update []string
	// settle waits until a queue of AWS that was just made may be used.
	settle func(context.Context)
}

// queueMade is what came of one queue.
type queueMade struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	// Made: it was not there before.
	Made        bool              `json:"made"`
	Differences []queueDifference `json:"differences"`
	// Untaken are attributes that the endpoint knows nothing of.
	Untaken []string `json:"untaken"`
}

// queueDifference is an attribute that is not as a deployment has it.
type queueDifference struct {
	Attribute string `json:"attribute"`
	// Is is empty where it is not set; when Changed, it is what it was.
	Is       string `json:"is"`
	Deployed string `json:"deployed"`
	Changed  bool   `json:"changed"`
}

// all makes the eight queues. What it had made before an error is returned too.
func (m *queueMaker) all(ctx context.Context) (made []queueMade, err error) {
	for _, pair := range queuePairs(m.receives) {
		both, err := m.pair(ctx, pair)
		if made = append(made, both...); err != nil {
			return made, err
		}
	}
	return made, nil
}

// pair makes a queue and where its dead letters go.
func (m *queueMaker) pair(ctx context.Context, pair queuePair) ([]queueMade, error) {
	dead, deadMade, err := m.ensure(ctx, m.prefix+pair.failures, nil)
	if err != nil {
		return nil, err
	}
	source, sourceMade, err := m.ensure(ctx, m.prefix+pair.name, map[string]string{
		redrivePolicy: awssqs.Redrive{Target: dead.arn(), Receives: pair.receives}.String()})
	if err != nil {
		return []queueMade{deadMade}, err
	}
	err = m.allow(ctx, dead, &deadMade, source.arn())
	return []queueMade{sourceMade, deadMade}, err
}

// ensure makes a queue that is not there, or holds one that is against what a
// deployment makes, whose policies are given.
func (m *queueMaker) ensure(ctx context.Context, name string, policies map[string]string) (*queueState, queueMade, error) {
	want := deployedAttributes(name)
	maps.Copy(want, policies)
	q, err := readQueue(ctx, m.api, name)
	made := queueMade{Name: name, Differences: []queueDifference{}, Untaken: []string{}}
	switch {
	case err != nil:
		return nil, made, err
	case q != nil:
		made.URL = q.url
		return q, made, m.compare(ctx, q, &made, want)
	}
	if q, err = m.make(ctx, &made, want); err != nil {
		return nil, made, fmt.Errorf("make the queue %s: %w", name, err)
	}
	made.URL, made.Made = q.url, true
	if q.overTLS() {
		err = m.give(ctx, q, &made, transport, tlsOnly(q.arn()))
	}
	return q, made, err
}

// make makes a queue; one without encryption where the endpoint knows of none.
func (m *queueMaker) make(ctx context.Context, made *queueMade, want map[string]string) (*queueState, error) {
	create := func(attributes map[string]string) (*sqs.CreateQueueOutput, error) {
		return m.api.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &made.Name, Attributes: attributes})
	}
	out, err := create(want)
	if unknownAttribute(err) {
		plain := maps.Clone(want)
		delete(plain, encrypted)
		made.Untaken = append(made.Untaken, encrypted)
		out, err = create(plain)
	}
	if err != nil {
		return nil, err
	}
	if isTLS(aws.ToString(out.QueueUrl)) {
		m.settle(ctx)
	}
	q, err := readQueue(ctx, m.api, made.Name)
	if err == nil && (q == nil || q.arn() == "") {
		err = errors.New("the endpoint says that it made it, and does not show it; try again in a minute")
	}
	return q, err
}

func unknownAttribute(err error) bool {
	var unknown *types.InvalidAttributeName
	return errors.As(err, &unknown)
}

// give sets what a queue that was just made goes without where the endpoint knows
// nothing of it.
func (m *queueMaker) give(ctx context.Context, q *queueState, made *queueMade, name, value string) error {
	err := m.set(ctx, q, map[string]string{name: value})
	if unknownAttribute(err) {
		made.Untaken = append(made.Untaken, name)
		return nil
	}
	return err
}

// allow has a dead-letter queue take messages of its own queue only.
func (m *queueMaker) allow(ctx context.Context, dead *queueState, made *queueMade, source string) error {
	if !made.Made {
		return m.compare(ctx, dead, made, map[string]string{redriveAllow: allowFrom(source)})
	}
	return m.give(ctx, dead, made, redriveAllow, allowFrom(source))
}

// compare notes how a queue differs from what a deployment makes, and changes
// that where it is asked to.
func (m *queueMaker) compare(ctx context.Context, q *queueState, made *queueMade, want map[string]string) error {
	changes := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if sameAttribute(name, q.attributes[name], want[name]) || !q.tells(name) {
			continue
		}
		if name == fifoQueue {
			return fmt.Errorf("queue %s is no FIFO queue, and can't become one; delete it, and create it again", q.name)
		}
		d := queueDifference{Attribute: name, Is: q.attributes[name], Deployed: want[name],
			Changed: slices.Contains(m.update, name) || slices.Contains(m.update, "all")}
		if d.Changed {
			changes[name] = want[name]
		}
		made.Differences = append(made.Differences, d)
	}
	if len(changes) == 0 {
		return nil
	}
	return m.set(ctx, q, changes)
}

// tells reports whether it may be said that an attribute differs. SQS always
// tells of most; an endpoint that does not has no such thing. Encryption by a key
// of one's own is encryption too.
func (q *queueState) tells(name string) bool {
	_, told := q.attributes[name]
	switch name {
	case redrivePolicy, fifoQueue:
		return true
	case redriveAllow: // told of by SQS only where there is one
		_, whole := q.attributes[retention]
		return told || whole
	case encrypted:
		return told && q.attributes["KmsMasterKeyId"] == ""
	}
	return told
}

func (m *queueMaker) set(ctx context.Context, q *queueState, changes map[string]string) error {
	if _, err := m.api.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: aws.String(q.url), Attributes: changes}); err != nil {
		return fmt.Errorf("set %v of queue %s: %w", slices.Sorted(maps.Keys(changes)), q.name, err)
	}
	return nil
}
