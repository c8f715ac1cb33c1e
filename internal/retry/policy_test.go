package retry

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParsePolicies(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, spec, lookup string
		want               []time.Duration
	}{
		{"nothing configured: the default", "", "", seconds(1, 2, 4)},
		{"built in", "", "replay", seconds(5, 10, 20, 40, 80)},
		{"built in beside a configured one", "x=1s", "replay", seconds(5, 10, 20, 40, 80)},
		{"several, with spaces and a last semicolon", " a=1s, 2s ; b_-9 = 2m;", "b_-9", seconds(120)},
		{"the default replaced", "seed=3s", "", seconds(3)},
		{"one attempt only", "once=", "once", nil},
		{"parts of a second are kept", "x=1500ms", "x", []time.Duration{1500 * time.Millisecond}},
		{"standard, by Standard Webhooks", "", "standard", seconds(5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)},
		{"standard replaced", "standard=5s", "standard", seconds(5)},
		{"patient", "", "patient", seconds(5, 30, 120, 600)},
		{"a day", "x=24h", "x", seconds(86400)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			policies, err := ParsePolicies(c.spec)
			if err != nil {
				t.Fatal(err)
			}
			got, err := policies.Lookup(c.lookup)
			if err != nil || !slices.Equal(got.Delays, c.want) {
				t.Errorf("got %v, %v; want %v", got.Delays, err, c.want)
			}
			if got.Attempts() != len(c.want)+1 {
				t.Errorf("%d attempts for %d delays", got.Attempts(), len(c.want))
			}
		})
	}
}

func TestParsePoliciesRefuses(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, spec, says string }{
		{"no =", "seed", `"seed"`},
		{"no name", "=1s", `"=1s"`},
		{"capitals in the name", "Seed=1s", `"Seed=1s"`},
		{"a long name", strings.Repeat("a", 65) + "=1s", "name of"},
		{"twice", "a=1s;a=2s", `"a" appears more than once`},
		{"no unit", "a=1", `"a": delay "1" is not a duration`},
		{"an empty delay", "a=1s,,2s", `"a": delay "" is not a duration`},
		{"zero", "a=0s", `"a": delay "0s" must be more than 0`},
		{"negative", "a=-1s", `"a": delay "-1s" must be more than 0`},
		{"over a day", "b=1s;a=5s,24h1s", `"a": delay "24h1s" is over 24 hours`},
		{"too many", "a=" + strings.Repeat("1s,", 100) + "1s", "101 delays"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParsePolicies(c.spec)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want it to say %s", err, c.says)
			}
		})
	}
}

func TestLookupRefuses(t *testing.T) {
	t.Parallel()
	policies, err := ParsePolicies("mine=1s")
	if err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{
		"other": `"other"; there are mine, patient, replay, seed, standard`,
		"Seed":  `"Seed"`,
	} {
		if _, err := policies.Lookup(name); !errors.Is(err, ErrUnknownPolicy) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v, want it to say %s", name, err, says)
		}
	}
}

func FuzzParsePolicies(f *testing.F) {
	for _, seed := range []string{"", "seed=1s,2s,4s;x=30s", "once=", "a=1h", "a=1s;;", ";=", "a=9999999h", "é=1s"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		policies, err := ParsePolicies(spec)
		if err != nil {
			return
		}
		for name, policy := range policies.configured {
			if !strings.Contains(spec, name) || policy.Name != name || !validName(name) {
				t.Fatalf("policy %q out of %q", name, spec)
			}
			for _, delay := range policy.Delays {
				if delay <= 0 || delay > MaxWait {
					t.Fatalf("delay %v out of %q", delay, spec)
				}
			}
		}
	})
}
