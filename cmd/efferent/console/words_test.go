package console

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
)

func TestParsePast(t *testing.T) {
	t.Parallel()
	now := commandtest.Noon.Add(time.Millisecond)
	for text, want := range map[string]string{
		"2026-11-24T08:00:00+02:00": "2026-11-24T06:00:00Z", "2h": "2026-11-24T10:00:00Z", "90m": "2026-11-24T10:30:00Z",
		"14d": "2026-11-10T12:00:00Z",
		"-2h": "", "-2d": "", "2": "", "d": "", "2w": "", "": "", "yesterday": "", "2026-11-24": "", "99999999999d": "",
	} {
		at, err := parsePast(text, now)
		got := ""
		if err == nil {
			got = at.Format(time.RFC3339Nano)
		} else if !strings.Contains(err.Error(), fmt.Sprintf("%q", text)) {
			t.Errorf("%q: %v", text, err)
		}
		if got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func TestThousands(t *testing.T) {
	t.Parallel()
	got := []string{Thousands(0), Thousands(999), Thousands(1000), Thousands(123456), Thousands(int64(1234567))}
	if diff := cmp.Diff([]string{"0", "999", "1,000", "123,456", "1,234,567"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSpanText(t *testing.T) {
	t.Parallel()
	for want, d := range map[string]time.Duration{"0s": -time.Second, "119s": 119*time.Second + 999*time.Millisecond, "2m": 2 * time.Minute,
		"119m": 2*time.Hour - 1, "2h": 2 * time.Hour, "47h": 48*time.Hour - 1, "2d": 48 * time.Hour, "14d": 14 * 24 * time.Hour} {
		if got := SpanText(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}
