package channeltest

import (
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/channel"
)

// What must never stand in a reason: secrets, and what is the recipient's.
const (
	SecretPath  = "T0/B0/hushhushhush"
	SecretToken = "xoxb-hushhush"
	SecretAuth  = "hush-token"
	Number      = "+15005550006"
	Body        = "a private text"
)

// Noon is when the tests take place.
var Noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// Check compares outcomes; the reason holds a part, and no secret.
func Check(t *testing.T, got, want channel.Outcome) {
	t.Helper()
	if !strings.Contains(got.Reason, want.Reason) || (want.Reason == "") != (got.Reason == "") {
		t.Errorf("got the reason %q, want %q in it", got.Reason, want.Reason)
	}
	for _, secret := range []string{SecretPath, SecretToken, SecretAuth, Number, Body, "hush", "C0123", "ann@"} {
		if strings.Contains(got.Reason, secret) {
			t.Errorf("the reason %q tells %q", got.Reason, secret)
		}
	}
	for _, secret := range []string{SecretPath, SecretToken, SecretAuth} {
		if strings.Contains(got.Response, secret) {
			t.Errorf("the response %q tells %q", got.Response, secret)
		}
	}
	if want.Response == "" && !got.Sent() { // where it matters it is wanted
		got.Response = ""
	}
	got.Reason, want.Reason = "", ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got.Sent() != (want.Class == "") {
		t.Errorf("Sent() is %v", got.Sent())
	}
}

// Reads checks the outcome that a sender reads of whatever an answer holds.
func Reads(t *testing.T, status int, body []byte, o channel.Outcome) {
	t.Helper()
	if o.Sent() && (status < 200 || status > 299) {
		t.Errorf("%d %q is sent", status, body)
	}
	if o.Sent() != (o.Reason == "") || o.Status != status {
		t.Errorf("%+v", o)
	}
	if strings.ContainsAny(o.Reason, "\r\n\x00<") {
		t.Errorf("the reason %q", o.Reason)
	}
	if _, err := json.Marshal(o.Reason); err != nil {
		t.Errorf("the reason %q", o.Reason)
	}
}
