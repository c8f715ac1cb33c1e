package awssqs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/waiting"
)

// batchSends takes what is sent, but for the bodies that are refused, and the
// requests that fail by their first body.
type batchSends struct {
	mu       sync.Mutex
	refuse   string
	fail     string
	requests []*sdk.SendMessageBatchInput
}

func (b *batchSends) SendMessageBatch(_ context.Context, in *sdk.SendMessageBatchInput, _ ...func(*sdk.Options)) (
	*sdk.SendMessageBatchOutput, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.requests = append(b.requests, in); *in.Entries[0].MessageBody == b.fail {
		return nil, errDown
	}
	out := &sdk.SendMessageBatchOutput{}
	for _, e := range slices.Backward(in.Entries) { // in no order
		if *e.MessageBody == b.refuse {
			out.Failed = append(out.Failed, types.BatchResultErrorEntry{Id: e.Id, Code: aws.String("InternalError")})
		} else {
			out.Successful = append(out.Successful, types.SendMessageBatchResultEntry{Id: e.Id})
		}
	}
	return out, nil
}

func outgoing(n int) (all []waiting.Outgoing, indexes []int) {
	for i := range n {
		all, indexes = append(all, waiting.Outgoing{Body: fmt.Sprint("m", i)}), append(indexes, i)
	}
	return all, indexes
}

func TestOutgoing(t *testing.T) {
	t.Parallel()
	b := &batchSends{}
	o := &Outgoing{API: b, URLs: map[string]string{"webhooks": "u"}}
	sent, err := o.Send(t.Context(), "webhooks", []waiting.Outgoing{
		{Body: "a", Group: "acme", Delay: 89 * time.Second, Attributes: map[string]message.Attribute{
			"text": message.Text("t"), "bytes": {Type: "Binary.png", Binary: []byte{0, 1}}}},
		{Body: "b"},
	})
	want := []types.SendMessageBatchRequestEntry{
		{Id: aws.String("0"), MessageBody: aws.String("a"), MessageGroupId: aws.String("acme"), DelaySeconds: 89,
			MessageAttributes: map[string]types.MessageAttributeValue{
				"text":  {DataType: aws.String("String"), StringValue: aws.String("t")},
				"bytes": {DataType: aws.String("Binary.png"), BinaryValue: []byte{0, 1}},
			}},
		{Id: aws.String("1"), MessageBody: aws.String("b")},
	}
	ignore := cmpopts.IgnoreUnexported(types.SendMessageBatchRequestEntry{}, types.MessageAttributeValue{})
	if diff := cmp.Diff(want, b.requests[0].Entries, ignore); err != nil || diff != "" || *b.requests[0].QueueUrl != "u" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if !slices.Equal(sent, []int{0, 1}) || len(b.requests) != 1 {
		t.Errorf("sent %v in %d requests", sent, len(b.requests))
	}
	if sent, err := o.Send(t.Context(), "other", make([]waiting.Outgoing, 1)); err == nil || !strings.Contains(err.Error(), `"other"`) ||
		len(sent) > 0 {
		t.Errorf("an unknown queue took %v, %v", sent, err)
	}
}

// TestOutgoingFails: what is refused, or was in a request that failed, is not
// called sent, and keeps none of the others from being sent.
func TestOutgoingFails(t *testing.T) {
	t.Parallel()
	all, indexes := outgoing(45)
	for _, c := range []struct {
		refuse, fail string
		lost         []int
	}{
		{"", "", nil}, {"m13", "", []int{13}}, {"", "m20", []int{20, 21, 22, 23, 24, 25, 26, 27, 28, 29}},
		{"m44", "m40", []int{40, 41, 42, 43, 44}},
	} {
		b := &batchSends{refuse: c.refuse, fail: c.fail}
		sent, err := (&Outgoing{API: b, URLs: map[string]string{"q": "u"}}).Send(t.Context(), "q", all)
		want := slices.DeleteFunc(slices.Clone(indexes), func(i int) bool { return slices.Contains(c.lost, i) })
		if !slices.Equal(sent, want) || len(b.requests) != 5 || (err == nil) != (c.lost == nil) {
			t.Errorf("%+v: sent %v in %d requests, %v", c, sent, len(b.requests), err)
		}
		if c.fail != "" && !errors.Is(err, errDown) || c.refuse == "m13" && !strings.Contains(err.Error(), "InternalError") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// TestRequests: none has over ten messages, nor over 1 MiB.
func TestRequests(t *testing.T) {
	t.Parallel()
	of := func(size int) waiting.Outgoing {
		// name, type and value of an attribute count
		return waiting.Outgoing{Body: strings.Repeat("x", size-10), Attributes: map[string]message.Attribute{"n": {Type: "Str", Text: "123456"}}}
	}
	const half = message.MaxSize / 2
	for _, c := range []struct {
		sizes []int
		want  string
	}{
		{nil, ""},
		{[]int{message.MaxSize}, "0-1 "},
		{[]int{message.MaxSize, message.MaxSize}, "0-1 1-2 "},
		{[]int{half, half}, "0-2 "},
		{[]int{half, half + 1, half - 1, 10}, "0-1 1-3 3-4 "},
		{[]int{10, message.MaxSize, 10}, "0-1 1-2 2-3 "},
		{slices.Repeat([]int{20}, 10), "0-10 "},
		{slices.Repeat([]int{20}, 21), "0-10 10-20 20-21 "},
	} {
		var messages []waiting.Outgoing
		for _, size := range c.sizes {
			messages = append(messages, of(size))
		}
		got := ""
		for from, to := range requests(messages) {
			got += fmt.Sprint(from, "-", to, " ")
		}
		if got != c.want {
			t.Errorf("%v: got %q, want %q", c.sizes, got, c.want)
		}
	}
}
