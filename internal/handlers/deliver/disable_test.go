package deliver

import (
	"testing"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/waiting"
	"github.com/efferent/efferent/internal/webhook"
)

// TestGoneEndpoints: a registered endpoint that wants no more is disabled, and its
// messages wait, the one that it refused too; its circuit stays as it was. Where it can't
// be disabled nothing is lost either.
func TestGoneEndpoints(t *testing.T) {
	t.Parallel()
	header := webhook.Exchange{Status: 500, Gone: true}
	thanks := webhook.Exchange{Status: 200, Gone: true}
	for name, c := range map[string]struct {
		answer   webhook.Exchange
		err      error
		verdict  attempt.Verdict
		disabled bool
		waits    int
	}{
		"410":               {gone410, nil, attempt.Retryable, true, 1},
		"by the header":     {header, nil, attempt.Retryable, true, 1},
		"on a 200":          {thanks, nil, attempt.Delivered, true, 0},
		"can't be disabled": {gone410, errFault, attempt.Retryable, false, 1},
		"a 200, and can't":  {thanks, errFault, attempt.Delivered, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, c.answer)
			w.disableErr = c.err
			w.registers(is(endpoint.Enabled))
			if failed := w.handle(aMessage("a", toEndpoint("a"), 1)); len(failed) != 0 {
				t.Errorf("failed are %v", failed)
			}
			r := w.recorded("a")
			if len(r) != 1 || r[0].Verdict != c.verdict || r[0].Uncounted != (c.waits > 0) || r[0].Status != c.answer.Status {
				t.Errorf("recorded are %+v", r)
			}
			if got := w.endpoint(); (got.State == endpoint.Disabled) != c.disabled {
				t.Errorf("it is %+v", got)
			}
			items := w.store.Room()
			if len(items) != c.waits {
				t.Fatalf("waiting are %+v", items)
			}
			for _, i := range items {
				if i.Reason != waiting.Paused || i.Carried.Attempts != 1 || i.Carried.Base != 1 || i.Circuit != endpoint.Circuit("ep_1").Key() {
					t.Errorf("it waits as %+v", i)
				}
			}
			kept, _ := w.store.Circuits(t.Context(), []circuit.Name{endpoint.Circuit("ep_1")})
			for _, s := range kept {
				if s.IsOpen() {
					t.Errorf("its circuit is %+v", s)
				}
			}
		})
	}
}
