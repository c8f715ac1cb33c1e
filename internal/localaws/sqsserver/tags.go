package sqsserver

import (
	"context"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// The limits of tags, lengths in characters ("Amazon SQS standard queue
// quotas").
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

// checkTags says what is wrong with the tags of a queue.
func checkTags(queue string, tags map[string]string) error {
	if len(tags) > maxTags {
		return invalidParameter("Too many tags added for queue %s.", queue)
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value := tags[key]
		switch {
		case key == "" || utf8.RuneCountInString(key) > maxTagKey:
			return invalidParameter("Tag keys must be between 1 and %d characters in length.", maxTagKey)
		case utf8.RuneCountInString(value) > maxTagValue:
			return invalidParameter("Tag values must be between 0 and %d characters in length.", maxTagValue)
		case strings.HasPrefix(strings.ToLower(key), "aws:"), strings.HasPrefix(strings.ToLower(value), "aws:"):
			return invalidParameter("Tag keys and values must not start with aws:, which is reserved.")
		case strings.ContainsFunc(key+value, notInTags):
			return invalidParameter("Tag keys and values can only include letters, digits, white space and _ . : / = + - @.")
		}
	}
	return nil
}

func notInTags(r rune) bool {
	return r == utf8.RuneError ||
		!unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsSpace(r) && !unicode.IsMark(r) && !strings.ContainsRune("_.:/=+-@", r)
}

// TagQueue adds tags to a queue, or gives them other values.
func (e *Engine) TagQueue(ctx context.Context, in *sqs.TagQueueInput, _ ...func(*sqs.Options)) (*sqs.TagQueueOutput, error) {
	if len(in.Tags) == 0 {
		return nil, missingParameter("Tags")
	}
	err := e.changeTags(ctx, in.QueueUrl, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
	if err != nil {
		return nil, err
	}
	return &sqs.TagQueueOutput{}, nil
}

// UntagQueue takes tags from a queue. One that it has not is passed over.
func (e *Engine) UntagQueue(ctx context.Context, in *sqs.UntagQueueInput, _ ...func(*sqs.Options)) (*sqs.UntagQueueOutput, error) {
	if len(in.TagKeys) == 0 {
		return nil, missingParameter("TagKeys")
	}
	err := e.changeTags(ctx, in.QueueUrl, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
	if err != nil {
		return nil, err
	}
	return &sqs.UntagQueueOutput{}, nil
}

func (e *Engine) changeTags(ctx context.Context, url *string, change func(map[string]string)) error {
	e.admin.Lock()
	defer e.admin.Unlock()
	q, err := e.at(ctx, url)
	if err != nil {
		return err
	}
	r := *q.row.Load()
	tags := maps.Clone(r.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	change(tags)
	if err := checkTags(q.name, tags); err != nil {
		return err
	}
	r.Tags = tags
	if err := e.replaceRow(ctx, q, r); err != nil {
		return internalFailure("The tags were not changed", err)
	}
	return nil
}

// ListQueueTags gives all tags of a queue.
func (e *Engine) ListQueueTags(ctx context.Context, in *sqs.ListQueueTagsInput, _ ...func(*sqs.Options)) (*sqs.ListQueueTagsOutput, error) {
	q, err := e.at(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	out := &sqs.ListQueueTagsOutput{}
	if tags := q.row.Load().Tags; len(tags) > 0 { // without any there is no Tags (LocalStack's snapshot of test_tag_untag_queue)
		out.Tags = maps.Clone(tags)
	}
	return out, nil
}
