package metric

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDefinitions: each metric is told apart by what is known, and what it is has
// been said.
func TestDefinitions(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, d := range Definitions() {
		if seen[d.Name] || d.Help == "" || d.Unit == "" {
			t.Errorf("%+v: twice, or without a unit or a text", d)
		}
		seen[d.Name] = true
		for _, set := range d.By {
			for _, dimension := range set {
				if dimension != Tenant && len(Values(d.Name, dimension)) == 0 {
					t.Errorf("%s: nobody says which values %s may have", d.Name, dimension)
				}
			}
		}
	}
	for name := range values {
		if !seen[name] {
			t.Errorf("%s has values and is no metric", name)
		}
	}
}

func TestKnown(t *testing.T) {
	t.Parallel()
	d := Definition{Name: Failures, By: [][]string{{Reason}}}
	for value, want := range map[string]string{"": "", DNS: DNS, "evt_1042": Other, Other: Other} {
		if got := d.Known(Labels{Reason: value, Verdict: "whatever"}); (got != Labels{Reason: want, Verdict: "whatever"}) {
			t.Errorf("%q is %+v, want %q", value, got, want)
		}
	}
}

// TestSets: what has no value of a dimension is not told apart by it.
func TestSets(t *testing.T) {
	t.Parallel()
	d := Definition{Name: Attempts, By: [][]string{{Verdict}, {Channel, Verdict}}}
	for l, want := range map[Labels][][]string{
		{}:                                {{Function}},
		{Channel: "sms"}:                  {{Function}},
		{Verdict: "held"}:                 {{Function}, {Function, Verdict}},
		{Verdict: "held", Channel: "sms"}: {{Function}, {Function, Verdict}, {Function, Channel, Verdict}},
	} {
		if diff := cmp.Diff(want, d.Sets(l)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", l, diff)
		}
	}
}
