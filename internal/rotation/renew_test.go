package rotation_test

import (
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/webhook"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func TestRenewPlain(t *testing.T) {
	t.Parallel()
	for _, text := range []string{webhook.NewSecret(""), webhook.NewSecret("whsk_"), "correct horse battery staple"} {
		got, err := rotation.Renew(text, noon, time.Hour)
		if err != nil || got == text || webhook.Prefixed(got) != webhook.Prefixed(text) || got[:5] != text[:5] && webhook.Prefixed(text) {
			t.Errorf("%.5s became %.5s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "whsec_hunter2!", `{"a": "hunter2"`, "whpk_AAAA"} {
		if got, err := rotation.Renew(text, noon, time.Hour); err == nil || got != "" || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q became %q, %v", text, got, err)
		}
	}
}

// TestRenewKeys: each key of a JSON secret is replaced, and signs for the grace;
// notes stay.
func TestRenewKeys(t *testing.T) {
	t.Parallel()
	shared, private := webhook.NewSecret(""), webhook.NewSecret("whsk_")
	text := `{"owner": "ann", "ep1": "` + shared + `", "n": 7, "ep2": {"current": "` + private + `", "previous": "x",` +
		` "until": "2026-11-27T00:00:00Z"}, "ep3": {"current": "correct horse"}}`
	for _, grace := range []time.Duration{0, time.Hour} {
		got, err := rotation.Renew(text, noon, grace)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := signingkey.Parse(got)
		if err != nil || !strings.HasPrefix(got, `{"owner": "ann", "ep1": {`) || !strings.Contains(got, `, "n": 7, "ep2": {`) {
			t.Fatalf("%q: %v", got, err)
		}
		for name, old := range map[string]string{"ep1": shared, "ep2": private, "ep3": "correct horse"} {
			key, err := keys.Key(name)
			if err != nil || !key.Historic || key.Current == old || webhook.Prefixed(key.Current) != webhook.Prefixed(old) {
				t.Errorf("%s: %v", name, err)
			}
			if grace == 0 && key.Previous != "" || grace > 0 && (key.Previous != old || !key.Until.Equal(noon.Add(grace))) {
				t.Errorf("%s with a grace of %s: %v", name, grace, key.Until)
			}
		}
	}
}

func TestRenewRefuses(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		`{}`:                           "no key",
		`{"owner": "hunter2", "n": 1}`: "no key",
		`{"a": "whsec_hunter2!"}`:      `key "a"`,
		`{"a": {"current": "hunter2", "untill": "x"}}`:   `key "a"`,
		`{"a": {"current": "v1,hunter2"}}`:               `key "a"`,
		`{"a": "` + webhook.NewSecret("") + `", "a": 1}`: "",
	} {
		if got, err := rotation.Renew(text, noon, time.Hour); err == nil || got != "" || !strings.Contains(err.Error(), says) ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s became %q, %v", text, got, err)
		}
	}
	if _, err := rotation.Renew(`{"a": "`+webhook.NewSecret("")+`"}`, noon, signingkey.MaxGrace+1); err == nil {
		t.Error("a grace of over 7 days is taken")
	}
}
