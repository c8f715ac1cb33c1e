package awssecrets

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/internal/ledger"
)

var (
	november = bytes.Repeat([]byte{11}, ledger.RedactionKeySize)
	december = bytes.Repeat([]byte{12}, ledger.RedactionKeySize)
)

// monthly is a secret with the keys of months.
func monthly(version string, keys map[string][]byte) *manager {
	parts := []string{`"remark":"x"`}
	for month, key := range keys {
		parts = append(parts, fmt.Sprintf("%q:%q", month, base64.StdEncoding.EncodeToString(key)))
	}
	return &manager{out: text(version, "{"+strings.Join(parts, ",")+"}")}
}

// by names the key that a redactor hashes with.
func by(r *ledger.Redactor) string {
	got := r.Recipient("ann")
	for name, key := range map[string][]byte{"november": november, "december": december, "none": nil} {
		if got == ledger.NewRedactor(key, false).Recipient("ann") {
			return name
		}
	}
	return got
}

// TestRedactors plays one secret's life, by the second.
func TestRedactors(t *testing.T) {
	t.Parallel()
	both := monthly("v1", map[string][]byte{"2026-11": november, "2026-12": december})
	second := monthly("v2", map[string][]byte{"2026-12": december})
	historic := &manager{out: text("v4", `{"2026-11":{"current":"`+base64.StdEncoding.EncodeToString(november)+`"}}`)}
	gone, denied := &manager{err: &types.ResourceNotFoundException{}}, &manager{err: errDenied}
	const nov, dec = 24 * time.Hour, 40 * 24 * time.Hour
	type step struct {
		second int
		now    *manager // what Secrets Manager answers from now on
		month  time.Duration
		want   string
		reads  int // in all
		logged int // lines, in all
	}
	for label, steps := range map[string][]step{
		"by the month of the act": {
			{0, both, nov, "november", 1, 0}, {0, nil, dec, "december", 1, 0}, {299, denied, nov, "november", 1, 0},
		},
		"read anew, and nobody waits for it": {
			{0, both, nov, "november", 1, 0}, {300, nil, nov, "november", 2, 0}, {301, nil, nov, "november", 2, 0},
		},
		"known, and can't be read": {
			{0, both, nov, "november", 1, 0}, {300, denied, nov, "november", 2, 0}, {301, nil, nov, "november", 3, 0},
			{9000, nil, nov, "november", 4, 0},
		},
		"destroyed": {
			{0, both, nov, "november", 1, 0}, {300, second, nov, "november", 2, 0}, // it takes as long as the TTL
			{301, nil, nov, "none", 2, 1}, {301, nil, dec, "december", 2, 1}, {302, nil, nov, "none", 2, 1},
		},
		"not there yet": {
			{0, gone, nov, "none", 1, 1}, {29, nil, nov, "none", 1, 1}, {30, nil, nov, "none", 2, 1}, {60, both, nov, "november", 3, 1},
			{61, gone, nov, "november", 3, 1},
		},
		"the month's not there yet": {
			{0, second, nov, "none", 1, 1}, {29, nil, nov, "none", 1, 1}, {30, both, nov, "november", 2, 1},
		},
		"can't be read": {
			{0, denied, nov, "none", 1, 1}, {0, nil, nov, "none", 1, 1}, {30, nil, nov, "none", 2, 1}, {60, gone, nov, "none", 3, 2},
			{90, both, nov, "november", 4, 2},
		},
		"no key": {
			{0, &manager{out: text("v1", `{"2026-11":"topsecret"}`)}, nov, "none", 1, 1},
			{30, &manager{out: text("v2", `{"2026-11":"dG9vIHNob3J0"}`)}, nov, "none", 2, 1}, {60, &manager{out: text("v3", "topsecret")},
				nov, "none", 3, 1},
			{90, historic, nov, "none", 4, 1}, // a month's key has no history: it never changes
		},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				m, start := &manager{}, time.Now()
				r := &Redactors{API: m, Name: keysSecret, Now: time.Now, Log: slog.New(slog.NewJSONHandler(&log, nil))}
				for i, x := range steps {
					wait(start.Add(time.Duration(x.second) * time.Second))
					if x.now != nil {
						m.out, m.err = x.now.out, x.now.err
					}
					got := by(r.Redactor(t.Context(), time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Add(x.month)))
					synctest.Wait() // a look-up that nobody waits for
					if lines := strings.Count(log.String(), "\n"); got != x.want || m.calls != x.reads || lines != x.logged {
						t.Fatalf("step %d: by %s after %d reads, want %s after %d; logged:\n%s", i, got, m.calls, x.want, x.reads, &log)
					}
				}
				if strings.Contains(log.String(), "topsecret") || strings.Contains(log.String(), "dG9v") {
					t.Errorf("the log tells of the key:\n%s", &log)
				}
			})
		})
	}
}

// wait lets a bubble's clock reach a time.
func wait(until time.Time) {
	if d := time.Until(until); d > 0 {
		<-time.After(d)
	}
}

// TestNobodyWaitsForLong: where Secrets Manager does not answer, entries wait
// for a second in all, and once it does the key is used.
func TestNobodyWaitsForLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		m := monthly("v1", map[string][]byte{"2026-11": november})
		m.release = make(chan struct{})
		var log bytes.Buffer
		r := &Redactors{API: m, Name: keysSecret, Now: time.Now, Log: slog.New(slog.NewJSONHandler(&log, nil))}
		start := time.Now()
		for range 10 {
			if got := by(r.Redactor(t.Context(), at)); got != "none" {
				t.Errorf("by %s", got)
			}
		}
		took := time.Since(start)
		synctest.Wait()
		if took != keyWait || m.calls != 1 || strings.Count(log.String(), "\n") != 1 {
			t.Errorf("%s, %d reads, logged:\n%s", took, m.calls, &log)
		}
		close(m.release)
		synctest.Wait()
		if got := by(r.Redactor(t.Context(), at)); got != "november" || m.calls != 1 {
			t.Errorf("then by %s after %d reads", got, m.calls)
		}
		// The known one is used while a newer one is on its way.
		m.release = make(chan struct{})
		wait(time.Now().Add(DefaultTTL))
		start = time.Now()
		for range 10 {
			if got := by(r.Redactor(t.Context(), at)); got != "november" {
				t.Errorf("in the end by %s", got)
			}
		}
		synctest.Wait()
		if time.Since(start) != 0 || m.calls != 2 {
			t.Errorf("in the end %s, %d reads", time.Since(start), m.calls)
		}
		close(m.release)
	})
}

// An invocation that ends does not wait, and says nothing of the key.
func TestRedactorOfWhoMayNotWait(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	m := &manager{out: text("v1", "{}"), release: make(chan struct{})}
	defer close(m.release)
	r := &Redactors{API: m, Name: keysSecret, Now: time.Now, Log: slog.New(slog.NewJSONHandler(&log, nil))}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if got := by(r.Redactor(ctx, at)); got != "none" || log.Len() != 0 {
		t.Errorf("by %s, logged %s", got, &log)
	}
}

func TestShownPaths(t *testing.T) {
	t.Parallel()
	for name, m := range map[string]*manager{
		"with a key": monthly("v1", map[string][]byte{"2026-11": november}), "without": {err: errDenied},
	} {
		r := &Redactors{API: m, Name: keysSecret, ShowPaths: true, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
		if got := r.Redactor(t.Context(), at).URL("https://a.test/in?x"); got != "https://a.test/in" {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

// BenchmarkRedactorKnown is what every entry pays for its month's key.
func BenchmarkRedactorKnown(b *testing.B) {
	m := monthly("v1", map[string][]byte{"2026-11": november})
	r := &Redactors{API: m, Name: keysSecret, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	b.ReportAllocs()
	for b.Loop() {
		r.Redactor(b.Context(), at)
	}
}
