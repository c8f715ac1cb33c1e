package awseventbridge

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/efferent/efferent/internal/outcome"
)

// bus takes entries, but for those whose subject is refused, as often as it says.
type bus struct {
	refuse   map[string]int
	fails    error
	short    bool
	requests []int
	took     []string
}

func (b *bus) PutEvents(_ context.Context, in *sdk.PutEventsInput, _ ...func(*sdk.Options)) (*sdk.PutEventsOutput, error) {
	b.requests = append(b.requests, len(in.Entries))
	if b.fails != nil {
		return nil, b.fails
	}
	out := &sdk.PutEventsOutput{}
	for _, e := range in.Entries {
		_, subject, _ := strings.Cut(*e.Detail, `"subject":"`)
		subject, _, _ = strings.Cut(subject, `"`)
		if b.refuse[subject] > 0 {
			b.refuse[subject]--
			out.FailedEntryCount++
			out.Entries = append(out.Entries, types.PutEventsResultEntry{ErrorCode: aws.String("ThrottlingException")})
			continue
		}
		b.took = append(b.took, *e.EventBusName+" "+*e.Source+" "+*e.DetailType+" "+subject)
		out.Entries = append(out.Entries, types.PutEventsResultEntry{EventId: aws.String("1")})
	}
	if b.short {
		out.Entries = nil
	}
	return out, nil
}

func TestBus(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		events   int
		bus      bus
		requests []int
		took     int
		err      string
	}{
		"none":              {0, bus{}, nil, 0, ""},
		"one":               {1, bus{}, []int{1}, 1, ""},
		"more than ten":     {23, bus{}, []int{10, 10, 3}, 23, ""},
		"two refused once":  {12, bus{refuse: map[string]int{"b": 1, "c": 1}}, []int{10, 2, 2}, 12, ""},
		"refused for good":  {12, bus{refuse: map[string]int{"b": 9}}, []int{10, 1, 1, 2}, 11, "1 outcomes were refused, the first by Throttl"},
		"out of reach":      {3, bus{fails: errors.New("no connection")}, []int{3}, 0, "put to b1: no connection"},
		"half of an answer": {3, bus{short: true}, []int{3}, 3, "0 entries were answered of 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var events []outcome.Event
				for n := range c.events {
					events = append(events, outcome.Event{Kind: outcome.Failed, Subject: string(rune('a' + n)), Time: time.Now()})
				}
				sink := &Bus{API: &c.bus, Name: "b1"}
				err := sink.Tell(t.Context(), events)
				if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
					t.Errorf("got %v", err)
				}
				if !slices.Equal(c.bus.requests, c.requests) || len(c.bus.took) != c.took {
					t.Errorf("requests of %v took %v", c.bus.requests, c.bus.took)
				}
				if c.took > 0 && c.bus.took[0] != "b1 efferent delivery.failed a" {
					t.Errorf("took %s", c.bus.took[0])
				}
			})
		})
	}
}
