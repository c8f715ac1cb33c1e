package sqsserver

import (
	"cmp"
	"context"
	"encoding/base64"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// maxListed is the most queues in one answer.
const maxListed = 1000

// ListQueues lists queues by name, up to 1,000 or MaxResults at a time. There
// is a NextToken only where MaxResults was given.
func (e *Engine) ListQueues(ctx context.Context, in *sqs.ListQueuesInput, _ ...func(*sqs.Options)) (*sqs.ListQueuesOutput, error) {
	if err := e.running(); err != nil {
		return nil, err
	}
	prefix := aws.ToString(in.QueueNamePrefix)
	here := e.from(ctx)
	urls, next, err := page(e.queuesWhere(func(q *queue) bool {
		return strings.HasPrefix(q.name, prefix) && (q.place == here || e.placed(here, q.name) == q.placed)
	}), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &sqs.ListQueuesOutput{QueueUrls: urls, NextToken: next}, nil
}

// ListDeadLetterSourceQueues lists the queues whose dead-letter queue this is,
// in pages as ListQueues.
func (e *Engine) ListDeadLetterSourceQueues(ctx context.Context, in *sqs.ListDeadLetterSourceQueuesInput, _ ...func(*sqs.Options)) (
	*sqs.ListDeadLetterSourceQueuesOutput, error) {
	dlq, err := e.at(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	urls, next, err := page(e.queuesWhere(dlq.hasSource), in.MaxResults, in.NextToken)
	if err != nil {
		return nil, err
	}
	return &sqs.ListDeadLetterSourceQueuesOutput{QueueUrls: urls, NextToken: next}, nil
}

// hasSource is whether q's dead letters go to dlq.
func (dlq *queue) hasSource(q *queue) bool {
	p := q.config.Load().redrive
	return p != nil && p.DeadLetterTargetArn == dlq.arn
}

// queuesWhere are the queues that match, in the order of their names.
func (e *Engine) queuesWhere(match func(*queue) bool) (list []*queue) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, q := range e.queues {
		if match(q) {
			list = append(list, q)
		}
	}
	slices.SortFunc(list, func(a, b *queue) int { return cmp.Compare(a.name, b.name) })
	return list
}

// page gives the URLs of one page of a list, which is in order, and the token
// for the next one.
func page(list []*queue, most *int32, token *string) (urls []string, next *string, err error) {
	limit := int(aws.ToInt32(most))
	if most == nil {
		limit = maxListed
	}
	if limit < 1 || limit > maxListed {
		return nil, nil, invalidParameter("Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.")
	}
	if token != nil {
		after, ok := parsePageToken(*token)
		if !ok {
			return nil, nil, invalidParameter("Invalid or expired next token.")
		}
		i, found := slices.BinarySearchFunc(list, after, func(q *queue, name string) int { return cmp.Compare(q.name, name) })
		if found {
			i++
		}
		list = list[i:]
	}
	if len(list) > limit {
		list = list[:limit]
		if most != nil {
			next = aws.String(pageToken(list[limit-1].name))
		}
	}
	for _, q := range list {
		urls = append(urls, q.url())
	}
	return urls, next, nil
}

// A page token names the last queue of its page, so that a list stays right
// when queues come and go between its pages.

const pageTokenPrefix = "after:"

func pageToken(last string) string {
	return base64.URLEncoding.EncodeToString([]byte(pageTokenPrefix + last))
}

func parsePageToken(token string) (last string, ok bool) {
	b, err := base64.URLEncoding.DecodeString(token)
	last, ok = strings.CutPrefix(string(b), pageTokenPrefix)
	return last, ok && err == nil
}
