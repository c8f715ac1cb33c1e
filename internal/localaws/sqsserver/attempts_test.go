package sqsserver_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// attempt receives with a ReceiveRequestAttemptId.
func (b *bundle) attempt(id string) ([]types.Message, error) {
	out, err := b.ReceiveMessage(b.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url("q.fifo"), MaxNumberOfMessages: 2,
		ReceiveRequestAttemptId: &id, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})
	if err != nil {
		return nil, err
	}
	return out.Messages, nil
}

// "During a visibility timeout, subsequent calls with the same
// ReceiveRequestAttemptId return the same messages and receipt handles"
// ("ReceiveMessage" in the API reference).
func TestReceiveAttempts(t *testing.T) {
	t.Parallel()
	same, nothing := []string{"a1 1", "a2 1"}, []string(nil)
	for name, c := range map[string]struct {
		then func(b *bundle, got []types.Message)
		id   string
		want []string // bodies and receive counts
	}{
		"at once":          {func(*bundle, []types.Message) {}, "id", same},
		"another id":       {func(*bundle, []types.Message) {}, "other", nothing},
		"before the end":   {func(b *bundle, _ []types.Message) { b.advance(29 * time.Second) }, "id", same},
		"visible again":    {func(b *bundle, _ []types.Message) { b.advance(30 * time.Second) }, "id", []string{"a1 2", "a2 2"}},
		"one deleted":      {func(b *bundle, got []types.Message) { b.delete("q.fifo", got[0]) }, "id", nothing},
		"both deleted":     {func(b *bundle, got []types.Message) { b.delete("q.fifo", got...) }, "id", []string{"a3 1"}},
		"one changed":      {func(b *bundle, got []types.Message) { b.must(b.change("q.fifo", got[1], 40)) }, "id", nothing},
		"purged":           {func(b *bundle, _ []types.Message) { b.must(b.purge("q.fifo")) }, "id", nothing},
		"after a restart":  {func(b *bundle, _ []types.Message) { b.restart() }, "id", nothing},
		"read from a file": {func(b *bundle, _ []types.Message) { b.store.unreadable = true }, "id", same}, // it is in memory
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q.fifo", byContent)
			for _, body := range []string{"a1", "a2", "a3"} {
				b.sendFIFO("q.fifo", "a", "", body)
			}
			first, err := b.attempt("id")
			b.must(err)
			c.then(b, first)
			again, err := b.attempt(c.id)
			b.must(err)
			var got []string
			for i, m := range again {
				got = append(got, *m.Body+" "+m.Attributes["ApproximateReceiveCount"])
				if slices.Equal(c.want, same) && *m.ReceiptHandle != *first[i].ReceiptHandle {
					t.Errorf("%s has another handle", *m.Body)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("received %q", got)
			}
		})
	}
}

func TestAnAttemptResetsTheTimeout(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q.fifo", byContent)
	b.sendFIFO("q.fifo", "a", "", "x")
	for range 11 { // 25 s apart: past five minutes the id is as good as new
		m, err := b.attempt("id")
		b.must(err)
		if len(m) != 1 || m[0].Attributes["ApproximateReceiveCount"] != "1" {
			t.Fatalf("received %v", m)
		}
		b.advance(25 * time.Second)
		b.wantCounts("q.fifo", 0, 1, 0)
	}
	b.restart() // the last reset is in the store
	b.wantCounts("q.fifo", 0, 1, 0)
	b.advance(5 * time.Second)
	b.wantCounts("q.fifo", 1, 0, 0)
}

func TestAnAttemptEndsAfterFiveMinutes(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q.fifo", mergeAttributes(byContent, attributes{"VisibilityTimeout": "600"}))
	b.sendFIFO("q.fifo", "a", "", "x")
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {5*time.Minute - time.Millisecond, 1}, {time.Millisecond, 0}} {
		b.advance(c.after)
		m, err := b.attempt("id")
		b.must(err)
		if len(m) != c.want {
			t.Fatalf("%v: received %d", c.after, len(m))
		}
	}
}

func TestAnAttemptThatFailsCanBeRepeated(t *testing.T) {
	t.Parallel()
	for _, f := range []fault{lost, persisted} {
		for _, failing := range []int{0, 1} { // the first receive or its repetition
			t.Run(fmt.Sprint("fault ", f, ", receive ", failing), func(t *testing.T) {
				t.Parallel()
				b := newBundle(t)
				b.create("q.fifo", byContent)
				b.sendFIFO("q.fifo", "a", "", "x")
				for i := range 2 {
					if i == failing {
						b.store.fail(f)
						_, err := b.attempt("id")
						b.wantCode(err, "InternalFailure")
					}
					m, err := b.attempt("id")
					b.must(err)
					if len(m) != 1 || m[0].Attributes["ApproximateReceiveCount"] != "1" {
						t.Fatalf("received %v", m)
					}
				}
			})
		}
	}
}

func TestAttemptsThatAreRefused(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("q", nil)
	b.create("q.fifo", nil)
	for _, c := range []struct{ queue, id string }{{"q", "id"}, {"q.fifo", ""}, {"q.fifo", "a b"}, {"q.fifo", string(make([]byte, 129))}} {
		_, err := b.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url(c.queue), ReceiveRequestAttemptId: aws.String(c.id)})
		b.wantCode(err, "InvalidParameterValue")
	}
}
