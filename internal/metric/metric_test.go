package metric

import "testing"

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
				if len(Values(d.Name, dimension)) == 0 {
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
	for value, want := range map[string]string{"": "", DNS: DNS, "evt_1042": Other, Other: Other} {
		if got := Known(Failures, Reason, value); got != want {
			t.Errorf("%q is %q, want %q", value, got, want)
		}
	}
}
