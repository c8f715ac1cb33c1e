package sqsserver_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// pager lists a page; its two forms have the same rules.
type pager func(most *int32, token *string) (urls []string, next *string, err error)

func pagers(b *bundle) map[string]pager {
	return map[string]pager{
		"ListQueues": func(most *int32, token *string) ([]string, *string, error) {
			out, err := b.ListQueues(b.t.Context(), &sqs.ListQueuesInput{QueueNamePrefix: aws.String("q"), MaxResults: most, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.QueueUrls, out.NextToken, nil
		},
		"ListDeadLetterSourceQueues": func(most *int32, token *string) ([]string, *string, error) {
			out, err := b.ListDeadLetterSourceQueues(b.t.Context(), &sqs.ListDeadLetterSourceQueuesInput{
				QueueUrl: url("dlq"), MaxResults: most, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.QueueUrls, out.NextToken, nil
		},
	}
}

func TestListsInPages(t *testing.T) {
	t.Parallel()
	for name := range pagers(nil) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("dlq", nil)
			b.create("other", nil)
			for _, q := range []string{"q3", "q1", "q2", "q5", "q4"} {
				b.create(q, redrive("dlq", 1))
			}
			list := pagers(b)[name]
			for _, c := range []struct {
				most  *int32
				pages string // the queues, "|" between pages
			}{
				{nil, "q1 q2 q3 q4 q5"}, {aws.Int32(1000), "q1 q2 q3 q4 q5"}, {aws.Int32(5), "q1 q2 q3 q4 q5"},
				{aws.Int32(2), "q1 q2|q3 q4|q5"}, {aws.Int32(1), "q1|q2|q3|q4|q5"},
			} {
				var pages []string
				for token, more := (*string)(nil), true; more; more = token != nil {
					urls, next, err := list(c.most, token)
					b.must(err)
					pages = append(pages, strings.ReplaceAll(strings.Join(urls, " "), *url(""), ""))
					token = next
				}
				if got := strings.Join(pages, "|"); got != c.pages {
					t.Errorf("%d at a time: %s", aws.ToInt32(c.most), got)
				}
			}
			for _, most := range []int32{0, -1, 1001} {
				_, _, err := list(&most, nil)
				b.wantCode(err, "InvalidParameterValue")
			}
			_, _, err := list(aws.Int32(1), aws.String("x"))
			b.wantCode(err, "InvalidParameterValue")
		})
	}
}

// A page goes on after the last queue of the one before, also when that queue
// has been deleted since.
func TestQueuesComeAndGoBetweenPages(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for _, q := range []string{"a", "c", "d"} {
		b.create(q, nil)
	}
	out, err := b.ListQueues(t.Context(), &sqs.ListQueuesInput{MaxResults: aws.Int32(2)})
	b.must(err)
	b.remove("c")
	b.create("b", nil)
	b.create("cc", nil)
	out, err = b.ListQueues(t.Context(), &sqs.ListQueuesInput{MaxResults: aws.Int32(2), NextToken: out.NextToken})
	b.must(err)
	if got := strings.Join(out.QueueUrls, " "); got != *url("cc")+" "+*url("d") || out.NextToken != nil {
		t.Errorf("listed %s", got)
	}
}

// Without MaxResults there are 1,000 and no token ("ListQueues").
func TestAListOfManyQueues(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	for i := range 1001 {
		b.create("q"+strings.Repeat("x", i%50)+string(rune('a'+i/50)), nil)
	}
	for name, list := range pagers(b) {
		if name != "ListQueues" {
			continue
		}
		urls, next, err := list(nil, nil)
		b.must(err)
		if len(urls) != 1000 || next != nil {
			t.Errorf("%d queues, token %v", len(urls), next)
		}
	}
}

func TestSourcesOfAnUnknownQueue(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	_, err := b.ListDeadLetterSourceQueues(t.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: url("nope")})
	b.wantCode(err, "AWS.SimpleQueueService.NonExistentQueue")
}
