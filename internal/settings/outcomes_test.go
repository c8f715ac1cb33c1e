package settings

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/outcome"
)

func TestReadOutcomes(t *testing.T) {
	t.Parallel()
	const local = "http://127.0.0.1:4566/000000000000/outcomes"
	const queue, bus = "https://sqs.eu-north-1.amazonaws.com/123456789012/outcomes", "arn:aws:events:eu-north-1:123456789012:event-bus/app"
	for name, c := range map[string]struct {
		at, kinds, tenant string
		want              outcome.Place
		err               string
	}{
		"none":                  {"", "", "", outcome.Place{}, ""},
		"said to be none":       {"none", "", "", outcome.Place{}, ""},
		"a queue":               {queue, "", "", outcome.Place{QueueURL: queue}, ""},
		"a local one":           {local, "", "", outcome.Place{QueueURL: local}, ""},
		"a bus":                 {bus, "*", "", outcome.Place{Bus: bus}, ""},
		"somebody's events":     {queue, "", "ops", outcome.Place{QueueURL: queue, Tenant: "ops"}, ""},
		"a name":                {"outcomes", "", "", outcome.Place{}, Outcomes},
		"another ARN":           {"arn:aws:sqs:eu-north-1:123456789012:outcomes", "", "", outcome.Place{}, Outcomes},
		"no such kind":          {queue, "delivery.lost", "", outcome.Place{}, OutcomeKinds},
		"no tenant's name":      {queue, "", "a b", outcome.Place{}, OutcomesTenant},
		"a tenant's, on no bus": {bus, "", "ops", outcome.Place{}, OutcomesTenant},
	} {
		got, err := ReadOutcomes(func(name string) string {
			return map[string]string{Outcomes: c.at, OutcomeKinds: c.kinds, OutcomesTenant: c.tenant}[name]
		})
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err+":") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		want := len(outcome.All)
		if c.kinds == "" {
			want -= 2 // the deliveries, of messages and of notifications
		}
		if err != nil || got.QueueURL != c.want.QueueURL || got.Bus != c.want.Bus || got.Tenant != c.want.Tenant || len(got.Kinds) != want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
