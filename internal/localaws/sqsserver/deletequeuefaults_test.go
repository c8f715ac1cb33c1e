package sqsserver_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// TestADeleteOfAQueueThatFails: the queue is as before, and what is sent to it
// then is there after a restart, even when the delete was persisted.
func TestADeleteOfAQueueThatFails(t *testing.T) {
	t.Parallel()
	for _, f := range []fault{lost, persisted} {
		for _, repeated := range []bool{false, true} {
			t.Run(fmt.Sprint("fault ", f, ", repeated ", repeated), func(t *testing.T) {
				t.Parallel()
				b := newBundle(t)
				b.create("q", attributes{"DelaySeconds": "0", "VisibilityTimeout": "7"})
				b.store.fail(f)
				b.wantCode(b.tryRemove("q"), "InternalFailure")
				b.send("q", "a")
				if repeated {
					b.remove("q")
				}
				b.restart()
				if b.exists("q") == repeated {
					t.Fatal("the queue is there, or not there, against what was asked for")
				}
				if !repeated {
					b.want("q", "a")
					if v := b.attributes("q")["VisibilityTimeout"]; v != "7" {
						t.Errorf("VisibilityTimeout %s", v)
					}
				}
			})
		}
	}
}

// A dead letter's move writes its queue's row too.
func TestADeadLetterGoesToAQueueWhoseDeleteFailed(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.create("dlq", nil)
	b.create("q", redrive("dlq", 1))
	b.send("q", "a")
	b.store.fail(persisted)
	b.wantCode(b.tryRemove("dlq"), "InternalFailure")
	b.fail("q", 1)
	b.restart()
	b.want("dlq", "a")
}

// Attributes and tags whose write failed but was persisted are put right by
// the next send.
func TestAChangeOfAQueueThatFails(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b *bundle) error{
		"attributes": func(b *bundle) error {
			_, err := b.SetQueueAttributes(b.t.Context(), &sqs.SetQueueAttributesInput{
				QueueUrl: url("q"), Attributes: attributes{"VisibilityTimeout": "9"}})
			return err
		},
		"tags": func(b *bundle) error { return b.tag("q", map[string]string{"k": "new"}) },
		"untag": func(b *bundle) error {
			_, err := b.UntagQueue(b.t.Context(), &sqs.UntagQueueInput{QueueUrl: url("q"), TagKeys: []string{"k"}})
			return err
		},
	} {
		for _, f := range []fault{lost, persisted} {
			for _, repeated := range []bool{false, true} {
				t.Run(fmt.Sprint(name, ", fault ", f, ", repeated ", repeated), func(t *testing.T) {
					t.Parallel()
					b := newBundle(t)
					b.create("q", attributes{"VisibilityTimeout": "7"})
					b.must(b.tag("q", map[string]string{"k": "old"}))
					state := func() string { return fmt.Sprint(b.attributes("q")["VisibilityTimeout"], b.tags("q")) }
					before := state()
					b.store.fail(f)
					b.wantCode(change(b), "InternalFailure")
					if state() != before {
						t.Fatal("it was changed")
					}
					if repeated {
						b.must(change(b))
					}
					b.send("q", "a")
					want := state()
					b.restart()
					if got := state(); got != want || (got == before) == repeated {
						t.Errorf("%s, want %s", got, want)
					}
				})
			}
		}
	}
}
