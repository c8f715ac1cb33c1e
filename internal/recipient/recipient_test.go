package recipient_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/recipient"
)

func ann() recipient.Recipient {
	at := time.Date(2026, 11, 26, 8, 0, 0, 123456789, time.UTC)
	return recipient.Recipient{ID: "user_7", Tenant: "acme", Created: at, Updated: at, Version: 3,
		Addresses: map[channel.Name]recipient.Addresses{channel.Email: {"ann@acme.test"}, channel.SMS: {"+46701234567"}},
		Channels:  []channel.Name{channel.Email}, Topics: map[string]recipient.Topic{"marketing.*": {OptedOut: true}}}
}

func read(t *testing.T, text string) recipient.Recipient {
	t.Helper()
	r, err := recipient.Read(jsontext.Value(text))
	if err != nil {
		t.Fatal(err)
	}
	r.ID = "user_7"
	return r
}

func TestCheck(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 250) + "@acme.test"
	var topics []string
	for i := range 201 {
		topics = append(topics, fmt.Sprintf(`"t%d":{}`, i))
	}
	for text, wrong := range map[string]string{
		`{}`: "",
		`{"addresses":{"email":"ann@acme.test","sms":"+46701234567","slack":"U1","teams":"ops","discord":"ops","webhook":"crm"}}`:  "",
		`{"addresses":{"email":["ann@acme.test","bob@acme.test"]},"channels":["slack","sms"],"topics":{"*":{},"a.b.*":{},"c":{}}}`: "",
		`{"addresses":{"email":"Ann <ann@acme.test>"}}`:                                 "addresses: email must be one email address",
		`{"addresses":{"email":"` + long + `"}}`:                                        "addresses: email must be one email address",
		`{"addresses":{"email":""}}`:                                                    "addresses: email must not be empty",
		`{"addresses":{"email":[]}}`:                                                    "addresses: email must have an address",
		`{"addresses":{"email":["a@b.test","a@b.test"]}}`:                               "addresses: email has the same address twice",
		`{"addresses":{"sms":"0701234567"}}`:                                            "addresses: sms must be a phone number",
		`{"addresses":{"sms":["+46701234567","+46701234568"]}}`:                         "addresses: sms must have one address",
		`{"addresses":{"fax":"1"}}`:                                                     `addresses: "fax" is not a channel`,
		`{"addresses":{"email":["` + strings.Repeat(`a@b.test","`, 10) + `a@b.test"]}}`: "addresses: email must have at most 10",
		`{"channels":["email","email"]}`:                                                "channels: names email more than once",
		`{"channels":["Email"]}`:                                                        `channels: "Email" is not a channel`,
		`{"topics":{"a*":{}}}`:                                                          `topics: "a*" must be names with dots`,
		`{"topics":{"":{}}}`:                                                            `topics: "" must be names with dots`,
		`{"topics":{"a":{"channels":["pager"]}}}`:                                       `topics: "a": channels "pager" is not a channel`,
		`{"topics":{` + strings.Join(topics, ",") + `}}`:                                "topics: has 201 patterns",
	} {
		r := read(t, text)
		err := r.Check()
		var f *message.FieldError
		if wrong == "" && err == nil {
			continue
		}
		if !errors.As(err, &f) || !strings.HasPrefix(f.Field+": "+f.Problem, wrong) || wrong == "" || strings.Contains(f.Problem, "acme.test") {
			t.Errorf("%.80s: %v, want %s", text, err, wrong)
		}
	}
	for id, good := range map[string]bool{"user_7": true, "_": true, "a@b.test": true, "": false, "a/b": false, ".a": false, "-": false,
		"ä": false, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false, "a b": false, "a\n": false} {
		r := ann()
		if r.ID = id; (r.Check() == nil) != good {
			t.Errorf("the id %q: %v", id, r.Check())
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for text, field := range map[string]string{
		`[]`: "", `{`: "", `{"a":1,"a":2}`: "a", `{"color":1}`: "color",
		`{"addresses":[]}`: "addresses", `{"addresses":{"email":7}}`: "addresses",
		`{"channels":"email"}`: "channels", `{"topics":{"a":true}}`: "topics", `{"topics":{"a":{"muted":true}}}`: "muted",
	} {
		_, err := recipient.Read(jsontext.Value(text))
		var f *message.FieldError
		if err == nil || errors.As(err, &f) != (field != "") || field != "" && f.Field != field {
			t.Errorf("%s: %v, want one of %q", text, err, field)
		}
	}
	r := read(t, `{"addresses":{},"channels":[],"topics":{"a":{"channels":[]}}}`)
	if r.Addresses != nil || r.Channels != nil || r.Topics["a"].Channels != nil {
		t.Errorf("what is empty is kept: %+v", r)
	}
}

func TestPatch(t *testing.T) {
	t.Parallel()
	for patch, want := range map[string]string{
		`{}`: `{"addresses":{"email":"ann@acme.test","sms":"+46701234567"},"channels":["email"],"created"`,
		`{"addresses":{"sms":null,"email":["a@b.test","c@d.test"]}}`: `{"addresses":{"email":["a@b.test","c@d.test"]},"channels"`,
		`{"topics":{"marketing.*":{"opted_out":false},"a":{}}}`:      `"topics":{"a":{"opted_out":false},"marketing.*":{"opted_out":false}}`,
		`{"topics":null,"channels":null,"addresses":null}`:           `{"created":`,
		`{"id":"user_7","tenant":"acme","version":3}`:                `"channels":["email"]`,
	} {
		got, err := ann().Patch(jsontext.Value(patch))
		text, _ := json.Marshal(got, json.Deterministic(true))
		if err != nil || !strings.Contains(sorted(text), want) {
			t.Errorf("%s: %v, %s", patch, err, sorted(text))
		}
	}
	for patch, field := range map[string]string{`{"id":"user_8"}`: "id", `{"tenant":"beta"}`: "tenant", `{"created":null}`: "created",
		`{"version":"3"}`: "version", `{"name":"Ann"}`: "name"} {
		_, err := ann().Patch(jsontext.Value(patch))
		var f *message.FieldError
		if !errors.As(err, &f) || f.Field != field {
			t.Errorf("%s: %v", patch, err)
		}
	}
	if _, err := ann().Patch(jsontext.Value(`{"version":2}`)); !errors.Is(err, recipient.ErrChanged) {
		t.Error(err)
	}
}

// sorted has the keys of an object in order.
func sorted(text jsontext.Value) string {
	_ = text.Canonicalize()
	return string(text)
}

// TestTheClosestPatternHolds, alone.
func TestTheClosestPatternHolds(t *testing.T) {
	t.Parallel()
	r := read(t, `{"addresses":{"email":"a@b.test","sms":"+46701234567","slack":"U1"},"topics":{
		"*":{"channels":["slack"]},"a.*":{"opted_out":true},
		"a.b.*":{"channels":["sms"]},"a.b.c":{"opted_out":true},"a.b.c.d":{}}}`)
	for topic, want := range map[string]channel.Name{"": channel.Slack, "z": channel.Slack, "a": channel.Slack, "a.x": "", "a.b": "",
		"a.b.x": channel.SMS, "a.b.c": "", "a.b.c.d": channel.Email, "a.b.c.d.e": channel.SMS, "ab": channel.Slack} {
		n, err := r.Resolve(channel.Notification{Topic: topic})
		if want == "" && !errors.Is(err, recipient.ErrOptedOut) || want != "" && (err != nil || n.Channel != want) {
			t.Errorf("%q: %s, %v; want %s", topic, n.Channel, err, want)
		}
	}
}

// FuzzRecipient: what is taken can be kept, read again and patched, and a message to them
// goes out on each of their channels once, or on none.
func FuzzRecipient(f *testing.F) {
	for _, seed := range []string{`{}`, `{"addresses":{"email":["a@b.test"]}}`, `{"topics":{"a.*":{"opted_out":true}}}`,
		`{"channels":["sms","slack"],"topics":{"a":{"channels":["email"]}}}`, `{"addresses":{"email":null}}`} {
		f.Add([]byte(seed), []byte(`{"topics":{"a":null}}`), "a")
	}
	f.Fuzz(func(t *testing.T, text, patch []byte, topic string) {
		r, err := recipient.Read(text)
		if r.ID = "user_7"; err != nil || r.Check() != nil {
			return
		}
		kept, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := recipient.Read(kept); err != nil || !again.Is(&r) {
			t.Errorf("%s is read as %+v, %v", kept, again, err)
		}
		if changed, err := r.Patch(patch); err == nil && (changed.ID != r.ID || changed.Tenant != r.Tenant || changed.Version != r.Version) {
			t.Errorf("%s made %+v", patch, changed)
		}
		n, err := r.Resolve(channel.Notification{Topic: topic})
		if err != nil {
			return
		}
		seen := map[channel.Name]bool{}
		for _, on := range n.Chain() {
			if seen[on] || on == "" || on.Addressed() && n.Address(on) == "" {
				t.Errorf("the chain is %v", n.Chain())
			}
			seen[on] = true
		}
	})
}
