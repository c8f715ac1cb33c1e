package ledger

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"
)

func november() []byte { return bytes.Repeat([]byte{11}, RedactionKeySize) }

// hashOf is what a redactor makes of a path, or of an address.
func hashOf(r *Redactor, kind, text string) string {
	return r.text(func(m *mac) { m.addHash(kind, text) })
}

func TestRedactedURLs(t *testing.T) {
	t.Parallel()
	r := NewRedactor(november(), false)
	hidden := hashOf(r, "path", "/services/T0/B0/secret")
	for _, c := range []struct {
		r         *Redactor
		url, want string
	}{
		{r, "https://hooks.slack.com/services/T0/B0/secret?x=1", "https://hooks.slack.com/" + hidden},
		{r, "HTTPS://u:p@ss@hooks.test:8443/services/T0/B0/secret#f", "HTTPS://hooks.test:8443/" + hidden},
		{r, "http://[2001:db8::1]:80/services/T0/B0/secret", "http://[2001:db8::1]:80/" + hidden},
		{r, "http://[::1]/services/T0/B0/secret", "http://[::1]/" + hidden},
		{r, "https://räksmörgås.test/services/T0/B0/secret", "https://räksmörgås.test/" + hidden},
		{r, "https://a.test", "https://a.test"},
		{r, "https://a.test:8443/", "https://a.test:8443/"},
		{r, "https://u:p@a.test?token", "https://a.test"},
		{r, "", ""},
		{NewRedactor(november(), true), "https://u:p@a.test:8443/in?x=1#f", "https://a.test:8443/in"},
		{NewRedactor(nil, true), "https://a.test/in?x=1", "https://a.test/in"},
		{NewRedactor(nil, false), "https://a.test/in?x=1", "https://a.test/hmac:none"},
		{NewRedactor(nil, false), "no url", "hmac:none"},
		{NewRedactor(november(), true), "no url", hashOf(r, "path", "no url")},
		{r, "no url", hashOf(r, "path", "no url")},
		{r, "mailto:ann@acme.test", hashOf(r, "path", "mailto:ann@acme.test")},
		{r, "//a.test/b", hashOf(r, "path", "//a.test/b")},
		{r, "https:/a.test/b", hashOf(r, "path", "https:/a.test/b")},
		// These have their secret where the host would be.
		{r, `https://a.test\secret`, hashOf(r, "path", `https://a.test\secret`)},
		{r, "https://u:secret/p@a.test/", hashOf(r, "path", "https://u:secret/p@a.test/")},
		{r, "https:///secret", hashOf(r, "path", "https:///secret")},
		{r, "https://[secret]/", hashOf(r, "path", "https://[secret]/")},
		{r, "https://a b/", hashOf(r, "path", "https://a b/")},
	} {
		if got := c.r.URL(c.url); got != c.want {
			t.Errorf("%s: got %s, want %s", c.url, got, c.want)
		}
	}
}

// TestKeyedHashes: a hash tells the same text by the same key, and nothing else.
func TestKeyedHashes(t *testing.T) {
	t.Parallel()
	r := NewRedactor(november(), false)
	ann := r.Recipient("ann@acme.test")
	// HMAC-SHA256 by Python's hmac, of "recipient", a zero byte, and the address.
	if ann != "hmac:1d6380dcd5f911ad4cac739cc6b9f29f" {
		t.Errorf("ann is %s", ann)
	}
	for _, other := range []string{
		r.Recipient("bob@acme.test"), NewRedactor([]byte("december"), false).Recipient("ann@acme.test"), hashOf(r, "path", "ann@acme.test"),
	} {
		if other == ann || !strings.HasPrefix(other, "hmac:") || len(other) != len("hmac:")+32 {
			t.Errorf("another is %s", other)
		}
	}
	if got := NewRedactor(nil, false).Recipient("ann@acme.test"); got != "hmac:none" {
		t.Errorf("without a key ann is %s", got)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 100 {
				if got := r.Recipient("ann@acme.test"); got != ann {
					t.Errorf("among many ann is %s", got)
				}
			}
		})
	}
	all.Wait()
	if got := Month(time.Date(2026, 12, 1, 0, 30, 0, 0, time.FixedZone("CET", 3600))); got != "2026-11" {
		t.Errorf("the month is %s", got)
	}
}

func TestResources(t *testing.T) {
	t.Parallel()
	r, open := NewRedactor(november(), false), NewRedactor(november(), true)
	path, ann := hashOf(r, "path", "/x"), r.Recipient("ann@acme.test")
	for _, c := range []struct{ got, want string }{
		{r.AfterSending("https://a.test:8443/x?y=1", 503), "url=https://a.test:8443/" + path + ", status=503"},
		{r.AfterSending("https://a.test", 0), "url=https://a.test, status=0"},
		{r.BeforeSending("https://a.test/x", "e"), "url=https://a.test/" + path + ", event=e"},
		{open.BeforeSending("https://a.test/b@c/d#f?g", "e"), "url=https://a.test/b@c/d, event=e"},
		{r.BeforeSending("", "e"), "url=, event=e"},
		{r.OnChannel("email", []string{"ann@acme.test"}, ""), "channel=email, recipient=" + ann},
		{r.OnChannel("slack", nil, "transient"), "channel=slack, class=transient"},
		{open.OnChannel("email", []string{"ann@acme.test"}, "permanent"), "channel=email, recipient=" + ann + ", class=permanent"},
		{r.DeadLetter("webhook-failures", "https://u:p@a.test/x?y"), "queue=webhook-failures, url=https://a.test/" + path},
		{DeadNotification("notification-failures", "sms"), "queue=notification-failures, channel=sms"},
		{DeadLetters("webhook-failures"), "queue=webhook-failures, all"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func BenchmarkResource(b *testing.B) {
	r := NewRedactor(november(), false)
	b.ReportAllocs()
	for b.Loop() {
		_ = r.AfterSending("https://hooks.acme.test/in/some/where?token=t", 200)
	}
}
