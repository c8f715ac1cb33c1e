package ownqueues

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

// Maker makes queues as a deployment does.
type Maker struct {
	API      MakeAPI
	Prefix   string
	Receives int
	// Update are the attributes that queues which are there already are given; all
	// of them by "all".
	Update []string
	// Settle waits until a queue of AWS that was just made may be used.
	Settle func(context.Context)
}

// Made is what came of one queue.
type Made struct {
	Name string `json:"name"`
	URL  string `json:"url"`
	// Made: it was not there before.
	Made        bool         `json:"made"`
	Differences []Difference `json:"differences"`
	// Untaken are attributes that the endpoint knows nothing of.
	Untaken []string `json:"untaken"`
}

// Difference is an attribute that is not as a deployment has it.
type Difference struct {
	Attribute string `json:"attribute"`
	// Is is empty where it is not set; when Changed, it is what it was.
	Is       string `json:"is"`
	Deployed string `json:"deployed"`
	Changed  bool   `json:"changed"`
}

// All makes the eight queues. What it had made before an error is returned too.
func (m *Maker) All(ctx context.Context) (made []Made, err error) {
	for _, pair := range Pairs(m.Receives) {
		both, err := m.Pair(ctx, pair)
		if made = append(made, both...); err != nil {
			return made, err
		}
	}
	return made, nil
}

// Pair makes a queue and where its dead letters go.
func (m *Maker) Pair(ctx context.Context, pair Pair) ([]Made, error) {
	dead, deadMade, err := m.Ensure(ctx, m.Prefix+pair.Failures, nil)
	if err != nil {
		return nil, err
	}
	source, sourceMade, err := m.Ensure(ctx, m.Prefix+pair.Name, map[string]string{
		RedrivePolicy: awssqs.Redrive{Target: dead.ARN(), Receives: pair.Receives}.String()})
	if err != nil {
		return []Made{deadMade}, err
	}
	err = m.allow(ctx, dead, &deadMade, source.ARN())
	return []Made{sourceMade, deadMade}, err
}

// Ensure makes a queue that is not there, or holds one that is against what a
// deployment makes, whose policies are given.
func (m *Maker) Ensure(ctx context.Context, name string, policies map[string]string) (*State, Made, error) {
	want := Attributes(name)
	maps.Copy(want, policies)
	q, err := Read(ctx, m.API, name)
	made := Made{Name: name, Differences: []Difference{}, Untaken: []string{}}
	switch {
	case err != nil:
		return nil, made, err
	case q != nil:
		made.URL = q.URL
		return q, made, m.compare(ctx, q, &made, want)
	}
	if q, err = m.make(ctx, &made, want); err != nil {
		return nil, made, fmt.Errorf("make the queue %s: %w", name, err)
	}
	made.URL, made.Made = q.URL, true
	if q.overTLS() {
		err = m.give(ctx, q, &made, Transport, TLSOnly(q.ARN()))
	}
	return q, made, err
}

// make makes a queue; one without encryption where the endpoint knows of none.
func (m *Maker) make(ctx context.Context, made *Made, want map[string]string) (*State, error) {
	create := func(attributes map[string]string) (*sqs.CreateQueueOutput, error) {
		return m.API.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &made.Name, Attributes: attributes})
	}
	out, err := create(want)
	if unknownAttribute(err) {
		plain := maps.Clone(want)
		delete(plain, Encrypted)
		made.Untaken = append(made.Untaken, Encrypted)
		out, err = create(plain)
	}
	if err != nil {
		return nil, err
	}
	if isTLS(aws.ToString(out.QueueUrl)) {
		m.Settle(ctx)
	}
	q, err := Read(ctx, m.API, made.Name)
	if err == nil && (q == nil || q.ARN() == "") {
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
func (m *Maker) give(ctx context.Context, q *State, made *Made, name, value string) error {
	err := m.set(ctx, q, map[string]string{name: value})
	if unknownAttribute(err) {
		made.Untaken = append(made.Untaken, name)
		return nil
	}
	return err
}

// allow has a dead-letter queue take messages of its own queue only.
func (m *Maker) allow(ctx context.Context, dead *State, made *Made, source string) error {
	if !made.Made {
		return m.compare(ctx, dead, made, map[string]string{RedriveAllow: allowFrom(source)})
	}
	return m.give(ctx, dead, made, RedriveAllow, allowFrom(source))
}

// compare notes how a queue differs from what a deployment makes, and changes
// that where it is asked to.
func (m *Maker) compare(ctx context.Context, q *State, made *Made, want map[string]string) error {
	changes := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if sameAttribute(name, q.Attributes[name], want[name]) || !q.tells(name) {
			continue
		}
		if name == FifoQueue {
			return fmt.Errorf("queue %s is no FIFO queue, and can't become one; delete it, and create it again", q.Name)
		}
		d := Difference{Attribute: name, Is: q.Attributes[name], Deployed: want[name],
			Changed: slices.Contains(m.Update, name) || slices.Contains(m.Update, "all")}
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
func (q *State) tells(name string) bool {
	_, told := q.Attributes[name]
	switch name {
	case RedrivePolicy, FifoQueue:
		return true
	case RedriveAllow: // told of by SQS only where there is one
		_, whole := q.Attributes[Retention]
		return told || whole
	case Encrypted:
		return told && q.Attributes["KmsMasterKeyId"] == ""
	}
	return told
}

func (m *Maker) set(ctx context.Context, q *State, changes map[string]string) error {
	if _, err := m.API.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: aws.String(q.URL), Attributes: changes}); err != nil {
		return fmt.Errorf("set %v of queue %s: %w", slices.Sorted(maps.Keys(changes)), q.Name, err)
	}
	return nil
}

// MakeAPI is what making queues takes.
type MakeAPI interface {
	LookAPI
	CreateQueue(context.Context, *sqs.CreateQueueInput, ...func(*sqs.Options)) (*sqs.CreateQueueOutput, error)
	SetQueueAttributes(context.Context, *sqs.SetQueueAttributesInput, ...func(*sqs.Options)) (*sqs.SetQueueAttributesOutput, error)
}
