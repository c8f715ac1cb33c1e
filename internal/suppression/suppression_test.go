package suppression_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/suppression"
)

var at = time.Date(2026, 11, 24, 8, 0, 0, 1234567, time.FixedZone("CET", 3600))

func TestNormalize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		on            channel.Name
		address, want string
	}{
		{channel.Email, " Ann.B+x@ACME.Test ", "ann.b+x@acme.test"},
		{channel.Email, "ann@acme.test.", "ann@acme.test"},
		{channel.Email, "ann@EXÄMPLE.test", "ann@xn--exmple-cua.test"},
		{channel.Email, "ann@xn--exmple-cua.test", "ann@xn--exmple-cua.test"},
		{channel.Email, "a\u0301nn@acme.test", "ánn@acme.test"},
		{channel.Email, "a@b@acme.test", "a@b@acme.test"},
		{channel.Email, "no address", "no address"},
		{channel.SMS, "+46 (70) 123-45.67", "+46701234567"},
		{channel.SMS, "whatsapp:+46", "whatsapp:+46"},
		{channel.Slack, "#General", "#general"},
		{channel.Slack, "C123", "C123"},
		{channel.Teams, "Ops", "Ops"},
	} {
		if got := suppression.Normalize(c.on, c.address); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.on, c.address, got, c.want)
		}
	}
}

func FuzzNormalize(f *testing.F) {
	for _, on := range channel.Names {
		for _, seed := range []string{"Ann@Acme.test", "+46 70", "#A", "ß@ẞ.test", "a@İ.test", "@.", "a@xn--a.test"} {
			f.Add(string(on), seed)
		}
	}
	f.Fuzz(func(t *testing.T, on, address string) {
		e, err := suppression.New("acme", channel.Name(on), address, suppression.Stop, at)
		if err != nil {
			return
		}
		if again := suppression.Normalize(channel.Name(on), e.Address); again != e.Address {
			t.Errorf("%q becomes %q, and that %q", address, e.Address, again)
		}
		if !suppression.IsID(e.ID) || e.Key() != suppression.KeyOf("acme", channel.Name(on), address) {
			t.Errorf("%q is %+v", address, e)
		}
	})
}

func TestNew(t *testing.T) {
	t.Parallel()
	e, err := suppression.New("acme", channel.Email, "Ann@acme.test", suppression.Bounce, at)
	if err != nil || e.Address != "ann@acme.test" || e.Since.Format(time.RFC3339Nano) != "2026-11-24T07:00:00.001Z" ||
		!strings.HasPrefix(e.ID, "email-") || strings.Contains(e.ID, "ann") {
		t.Errorf("%+v, %v", e, err)
	}
	for field, make := range map[string]func() (suppression.Entry, error){
		"channel": func() (suppression.Entry, error) {
			return suppression.New("", "fax", "secret@acme.test", suppression.Stop, at)
		},
		"address": func() (suppression.Entry, error) {
			return suppression.New("", channel.SMS, "secret@acme.test", suppression.Stop, at)
		},
		"reason": func() (suppression.Entry, error) {
			return suppression.New("", channel.Email, "secret@acme.test", "spite", at)
		},
	} {
		_, err := make()
		var wrong *message.FieldError
		if !errors.As(err, &wrong) || wrong.Field != field || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", field, err)
		}
	}
	for _, text := range []string{"", "email", "email-", "fax-0123456789abcdef0123456789abcdef", "email-0123456789ABCDEF0123456789abcdef",
		"email-0123456789abcdef0123456789abcdef0", "../email-0123456789abcdef0123456789abcdef"} {
		if suppression.IsID(text) {
			t.Errorf("%q is an id", text)
		}
	}
}

// TestTold: what the ledger is told can't be erased, and so has nothing that an address
// can be found by without the key.
func TestTold(t *testing.T) {
	t.Parallel()
	e, err := suppression.New("acme", channel.Email, "ann@acme.test", suppression.Bounce, at)
	if err != nil {
		t.Fatal(err)
	}
	told := e.Told(ledger.SuppressionAdded, "arn:ann", ledger.NewRedactor([]byte("k"), false), at)
	text, err := told.AppendJSON(nil)
	_, hash, _ := strings.Cut(e.ID, "-")
	if err != nil || strings.Contains(string(text), "ann@") || strings.Contains(string(text), hash) || told.Tenant != "acme" ||
		!strings.HasSuffix(told.Resource, ", reason=bounce") {
		t.Errorf("%s, %v", text, err)
	}
}
