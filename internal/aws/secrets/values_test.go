package awssecrets

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/webhook"
)

// TestValues: what can be in a header is given, by a key too, and a rotated one once it
// is asked for as of then; no error quotes a value.
func TestValues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		value, key, want string
		is               error
	}{
		"a text":          {"Bearer abc", "", "Bearer abc", nil},
		"of a JSON key":   {`{"a":"Basic xyz"}`, "#a", "Basic xyz", nil},
		"with a history":  {`{"a":{"current":"new","previous":"old","until":"2030-01-01T00:00:00Z"}}`, "#a", "new", nil},
		"no such key":     {`{"a":"x"}`, "#b", "", webhook.ErrSecretUnusable},
		"with a line end": {"sesame\n", "", "", webhook.ErrSecretUnusable},
		"empty":           {"", "", "", webhook.ErrSecretUnusable},
		"too long":        {strings.Repeat("sesame", 1000), "", "", webhook.ErrSecretUnusable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := &Values{API: &manager{out: text("v1", c.value)}, Now: func() time.Time { return at }}
			got, err := v.Text(t.Context(), "efferent/webhooks/a"+c.key, time.Time{})
			if got != c.want || !errors.Is(err, c.is) || (err == nil) != (c.is == nil) {
				t.Errorf("%q, %v", got, err)
			}
			if err != nil && strings.Contains(err.Error(), "sesame") {
				t.Errorf("quoted: %v", err)
			}
		})
	}
	now := at
	m := &manager{out: text("v1", "one")}
	v := &Values{API: m, Now: func() time.Time { return now }}
	for _, c := range []struct {
		put   string
		since time.Time
		want  string
	}{{"one", time.Time{}, "one"}, {"two", time.Time{}, "one"}, {"two", at.Add(3 * time.Minute), "two"}} {
		m.out, now = text(c.put, c.put), now.Add(time.Minute)
		if got, err := v.Text(t.Context(), "efferent/webhooks/a", c.since); got != c.want || err != nil {
			t.Errorf("%s: %q, %v", c.put, got, err)
		}
	}
}
