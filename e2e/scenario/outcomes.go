package scenario

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/go-json-experiment/json"
)

// outcomes are what was told of one endpoint.
type outcomes struct {
	// delivered and failed are the ids of events that ended so.
	delivered, failed map[string]bool
	// changes are of the endpoint itself: ids by types.
	changes map[string]map[string]bool
}

// told is one outcome.
type told struct {
	ID      string `json:"id"`
	Type    string `json:"type"`
	Subject string `json:"subject"`
	Data    struct {
		Endpoint string `json:"endpoint"`
	} `json:"data"`
}

// heard is what was told of each endpoint, by its id.
type heard map[string]*outcomes

func (h heard) add(o told) {
	of := h[o.Data.Endpoint]
	if of == nil {
		of = &outcomes{delivered: map[string]bool{}, failed: map[string]bool{}, changes: map[string]map[string]bool{}}
		h[o.Data.Endpoint] = of
	}
	switch o.Type {
	case "delivery.delivered":
		of.delivered[o.Subject] = true
	case "delivery.failed":
		of.failed[o.Subject] = true
	default:
		if of.changes[o.Type] == nil {
			of.changes[o.Type] = map[string]bool{}
		}
		of.changes[o.Type][o.ID] = true
	}
}

// addUp hears all that is told until the end of each event at each endpoint is known:
// each ended as it did, and nothing else is told of them.
func (s *Stack) addUp(t *testing.T, all ...*customer) {
	t.Helper()
	if s.Outcomes == nil {
		t.Error("nobody is told how it ended")
		return
	}
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	h := heard{}
	for !h.complete(all) {
		if !s.hear(ctx, t, h) && ctx.Err() != nil {
			break
		}
	}
	for _, c := range all {
		for _, e := range c.all {
			h.check(t, e)
		}
	}
}

// hear takes some of what is told, and reports whether there was any.
func (s *Stack) hear(ctx context.Context, t *testing.T, h heard) bool {
	t.Helper()
	out, err := s.SQS.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: s.Outcomes, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
	if err != nil {
		time.Sleep(100 * time.Millisecond) // a connection is reset now and then
		return false
	}
	for _, m := range out.Messages {
		var o told
		if err := json.Unmarshal([]byte(*m.Body), &o); err != nil {
			t.Errorf("an outcome that is none: %v", err)
		}
		h.add(o)
		// What is seen twice for this is the same.
		_, _ = s.SQS.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: s.Outcomes, ReceiptHandle: m.ReceiptHandle})
	}
	return len(out.Messages) > 0
}

// complete is whether everything that should be told was.
func (h heard) complete(all []*customer) bool {
	for _, c := range all {
		for _, e := range c.all {
			of := h[e.ID]
			if of == nil || len(of.delivered)+len(of.failed) < len(e.wants) {
				return false
			}
			for kind, n := range e.told {
				if len(of.changes[kind]) < n {
					return false
				}
			}
		}
	}
	return true
}

func (h heard) check(t *testing.T, e *registered) {
	t.Helper()
	of := h[e.ID]
	if of == nil {
		t.Errorf("nothing was told of %s", e.ID)
		return
	}
	ended, other := of.delivered, of.failed
	if e.refuses {
		ended, other = other, ended
	}
	want := slices.Sorted(slices.Values(e.wants))
	if got := slices.Sorted(maps.Keys(ended)); !slices.Equal(got, want) || len(other) > 0 {
		t.Errorf("%s: told of %v, and otherwise of %v; want %v", e.ID, got, slices.Sorted(maps.Keys(other)), want)
	}
	for kind, n := range e.told {
		if len(of.changes[kind]) != n {
			t.Errorf("%s: %s was told %d times, want %d", e.ID, kind, len(of.changes[kind]), n)
		}
	}
	for kind := range of.changes {
		if e.told[kind] == 0 {
			t.Errorf("%s: %s was told, which did not happen", e.ID, kind)
		}
	}
}
