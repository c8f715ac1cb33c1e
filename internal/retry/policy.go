// Package retry says when a message is tried again, and when no more. It is
// pure: it has no clock, no queue and no state.
package retry

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Policy is a schedule of retries.
type Policy struct {
	Name string
	// Delays between the tries, in order; each is more than 0.
	Delays []time.Duration
}

// Attempts is how many tries the policy allows in all.
func (p Policy) Attempts() int { return len(p.Delays) + 1 }

// Default is the policy of a message that names none.
const Default = "seed"

// longest is the policy's longest delay; 0 where there is none.
func (p Policy) longest() (d time.Duration) {
	if len(p.Delays) > 0 {
		d = slices.Max(p.Delays)
	}
	return d
}

const (
	maxDelays = 100
	maxName   = 64
)

// ErrUnknownPolicy says that there is no usable policy of a name.
var ErrUnknownPolicy = errors.New("unknown retry policy")

// Policies are the usable policies by name. The zero value is the built-in
// ones.
type Policies struct{ configured map[string]Policy }

// builtin has Standard Webhooks' schedule as "standard" ("Standard Webhooks",
// Deliverability and reliability); "patient" outlives a greylisting mail server.
var builtin = map[string]Policy{
	"seed":     {Name: "seed", Delays: seconds(1, 2, 4)},
	"replay":   {Name: "replay", Delays: seconds(5, 10, 20, 40, 80)},
	"patient":  {Name: "patient", Delays: seconds(5, 30, 2*60, 10*60)},
	"standard": {Name: "standard", Delays: seconds(5, 5*60, 30*60, 2*3600, 5*3600, 10*3600, 14*3600, 20*3600, 24*3600)},
}

func seconds(n ...time.Duration) []time.Duration {
	for i := range n {
		n[i] *= time.Second
	}
	return n
}

// Lookup finds a policy; "" is Default. Its error wraps ErrUnknownPolicy.
func (p Policies) Lookup(name string) (Policy, error) {
	if name == "" {
		name = Default
	}
	if found, ok := p.configured[name]; ok {
		return found, nil
	}
	if found, ok := builtin[name]; ok {
		return found, nil
	}
	return Policy{}, fmt.Errorf("%w: %.70q; there are %s", ErrUnknownPolicy, name, strings.Join(p.names(), ", "))
}

func (p Policies) names() []string {
	all := maps.Clone(builtin)
	maps.Copy(all, p.configured)
	return slices.Sorted(maps.Keys(all))
}

// ParsePolicies reads EFFERENT_RETRY_POLICIES, such as
// "seed=1s,2s,4s;slow=30s,2m;once=": policies by name, with the delays between
// their tries as Go durations. They come on top of the built-in ones, and
// replace those of the same name. Its error quotes the part that is wrong.
func ParsePolicies(s string) (Policies, error) {
	configured := map[string]Policy{}
	for part := range strings.SplitSeq(s, ";") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		policy, err := parsePolicy(part)
		if err != nil {
			return Policies{}, err
		}
		if _, again := configured[policy.Name]; again {
			return Policies{}, fmt.Errorf("retry policy %q appears more than once", policy.Name)
		}
		configured[policy.Name] = policy
	}
	return Policies{configured: configured}, nil
}

func parsePolicy(part string) (Policy, error) {
	name, list, hasList := strings.Cut(part, "=")
	name, list = strings.TrimSpace(name), strings.TrimSpace(list)
	if !hasList || !validName(name) {
		return Policy{}, fmt.Errorf("retry policy %q: must be name=delay,delay,… with a name of a-z, 0-9, _ and -", part)
	}
	policy := Policy{Name: name}
	if list == "" {
		return policy, nil
	}
	for text := range strings.SplitSeq(list, ",") {
		delay, err := parseDelay(strings.TrimSpace(text))
		if err != nil {
			return Policy{}, fmt.Errorf("retry policy %q: %w", name, err)
		}
		policy.Delays = append(policy.Delays, delay)
	}
	if len(policy.Delays) > maxDelays {
		return Policy{}, fmt.Errorf("retry policy %q: has %d delays, at most %d are allowed", name, len(policy.Delays), maxDelays)
	}
	return policy, nil
}

func parseDelay(text string) (time.Duration, error) {
	delay, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("delay %q is not a duration such as 30s", text)
	case delay <= 0:
		return 0, fmt.Errorf("delay %q must be more than 0", text)
	case delay > MaxWait:
		return 0, fmt.Errorf("delay %q is over %g hours", text, MaxWait.Hours())
	}
	return delay, nil
}

func validName(name string) bool {
	return name != "" && len(name) <= maxName && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}
