package settings

import (
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/circuit"
)

func TestCircuits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]circuit.Limits{
		"":                          {},
		"first=1s":                  {First: time.Second},
		"disable=0s":                {Disable: -1}, // never
		"disable=36h":               {Disable: 36 * time.Hour},
		" failures = 3 ; first=2s;": {Threshold: 3, First: 2 * time.Second},
		"failures=1000;exchanges=2;first=24h;longest=24h": {Threshold: 1000, Least: 2,
			First: 24 * time.Hour, Longest: 24 * time.Hour},
	} {
		w, err := ReadWebhooks(env(CircuitLimits, text))
		if want.Disable == 0 {
			want.Disable = 5 * 24 * time.Hour
		}
		if want.Disable < 0 {
			want.Disable = 0
		}
		if err != nil || w.Circuits != want {
			t.Errorf("%q: %+v, %v; want %+v", text, w.Circuits, err, want)
		}
	}
}

func TestCircuitsThatCannotBe(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"failures=0":             `failures: "0" is not a number from 1 to 1000`,
		"failures=1001":          `"1001"`,
		"exchanges=1":            `exchanges: "1" is not a number from 2 to 10000`,
		"exchanges=10001":        `"10001"`,
		"first=25h":              `"25h"`,
		"first=30":               `first: "30" is not a duration from 1s to 24h0m0s`,
		"first=999ms":            `"999ms"`,
		"longest=25h":            `longest: "25h"`,
		"first=16m":              "longest (15m0s) is less than first (16m0s)",
		"longest=29s":            "longest (29s) is less than first (30s)",
		"threshold=5":            `"threshold" is none of failures, exchanges, first, longest and disable`,
		"disable=673h":           `disable: "673h" is not a duration from 0s to 672h0m0s`,
		"5":                      `"5" is none of`,
		"=5":                     `"=5" has no name`,
		"failures":               `failures: ""`,
		"failures=many;first=1s": `failures: "many"`,
	} {
		_, err := ReadWebhooks(env(CircuitLimits, text))
		if err == nil || !strings.Contains(err.Error(), CircuitLimits) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
