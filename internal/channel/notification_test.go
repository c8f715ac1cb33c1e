package channel

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/message"
)

// notification is a valid message with some fields replaced by JSON texts, or
// left out where the text is "".
func notification(replaced map[string]string) string {
	all := map[string]string{"id": `"n_7"`, "channel": `"email"`, "recipient": `"ann@acme.test"`, "subject": `"Hi"`, "body": `"words"`}
	maps.Copy(all, replaced)
	var members []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name] != "" {
			members = append(members, fmt.Sprintf("%q: %s", name, all[name]))
		}
	}
	return "{" + strings.Join(members, ", ") + "}"
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		in    map[string]string
		want  Notification
		chain []Name
	}{
		{
			"the least", map[string]string{"id": "", "subject": ""},
			Notification{Channel: Email, Recipient: "ann@acme.test", Body: "words"}, []Name{Email, Slack},
		},
		{
			"everything", map[string]string{
				"recipients": `{"sms": "+46701234567", "slack": "C0123"}`, "fallback": `["sms", "slack"]`, "tenant": `"acme"`,
				"fallback_on_opt_out": "true", "list_unsubscribe": `"https://acme.test/u?x=1"`, "body": `"a\nb \ud83d\ude00"`,
			},
			Notification{
				ID: "n_7", Channel: Email, Recipient: "ann@acme.test", Subject: "Hi", Body: "a\nb 😀", Tenant: "acme",
				Recipients: map[Name]string{SMS: "+46701234567", Slack: "C0123"}, Fallback: []Name{SMS, Slack},
				FallbackOnOptOut: true, ListUnsubscribe: "https://acme.test/u?x=1",
			}, []Name{Email, SMS, Slack},
		},
		{
			"no fallback", map[string]string{"fallback": "[]"},
			Notification{ID: "n_7", Channel: Email, Recipient: "ann@acme.test", Subject: "Hi", Body: "words", Fallback: []Name{}}, []Name{Email},
		},
		{
			"Slack by name", map[string]string{"channel": `"slack"`, "recipient": `"#ops-älv"`, "fallback_on_opt_out": "false"},
			Notification{ID: "n_7", Channel: Slack, Recipient: "#ops-älv", Subject: "Hi", Body: "words"}, []Name{Slack, Email},
		},
		{
			"SMS", map[string]string{"channel": `"sms"`, "recipient": `"+15005550006"`, "list_unsubscribe": `"mailto:u@acme.test"`},
			Notification{ID: "n_7", Channel: SMS, Recipient: "+15005550006", Subject: "Hi", Body: "words", ListUnsubscribe: "mailto:u@acme.test"},
			[]Name{SMS, Email},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Decode([]byte(" " + notification(c.in) + "\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if diff := cmp.Diff(c.chain, got.Chain()); diff != "" {
				t.Errorf("the chain: -want +got:\n%s", diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, field, says, id string }{
		{"empty", "", "", "not valid JSON", ""},
		{"cut off", `{"id": "n_7"`, "", "not valid JSON at byte 12", "n_7"},
		{"cut off in a value", `{"id": "n_7", "body": "secret wo`, "body", "not valid JSON", "n_7"},
		{"an array", `["n_7"]`, "", "must be a JSON object, not an array", ""},
		{"trailing data", notification(nil) + "x", "", "something after", "n_7"},
		{"over SQS's limit", notification(map[string]string{"x": `"` + strings.Repeat("a", 1<<20) + `"`}), "", "1 MiB", ""},
		{"unknown key", notification(map[string]string{"whom": `"x"`}), "whom", "unknown", "n_7"},
		{"a key in capitals", notification(map[string]string{"Body": `"x"`}), "Body", `did you mean "body"?`, "n_7"},
		{"a key twice", strings.Replace(notification(nil), "{", `{"body": "x", `, 1), "body", "more than once", "n_7"},
		{"a key twice, once escaped", strings.Replace(notification(nil), "{", `{"bod\u0079": "x", `, 1), "body", "more than once", "n_7"},
		{"no channel", notification(map[string]string{"channel": ""}), "channel", "missing", "n_7"},
		{"no recipient", notification(map[string]string{"recipient": ""}), "recipient", "missing", "n_7"},
		{"no body", notification(map[string]string{"body": ""}), "body", "missing", "n_7"},
		{"null", notification(map[string]string{"recipient": "null"}), "recipient", "must be a string or an array, not null", "n_7"},
		{"a number", notification(map[string]string{"body": "7"}), "body", "must be a string, not a number", "n_7"},
		{"text for a boolean", notification(map[string]string{"fallback_on_opt_out": `"true"`}), "fallback_on_opt_out",
			"must be a boolean, not a string", "n_7"},
		{"half a surrogate pair", notification(map[string]string{"body": `"\ud800"`}), "body", "Unicode", "n_7"},
		{"not UTF-8", notification(map[string]string{"body": "\"\xff\""}), "body", "Unicode", "n_7"},
		{"a long id", notification(map[string]string{"id": `"` + strings.Repeat("a", 129) + `"`}), "id", "1 to 128", ""},
		{"an id with a newline", notification(map[string]string{"id": `"a\n"`}), "id", "1 to 128", ""},
		{"unknown channel", notification(map[string]string{"channel": `"pager"`}), "channel", "email, slack, sms, teams, discord or webhook",
			"n_7"},
		{"channel in capitals", notification(map[string]string{"channel": `"Email"`}), "channel",
			"email, slack, sms, teams, discord or webhook", "n_7"},
		{"empty recipient", notification(map[string]string{"recipient": `""`}), "recipient", "empty", "n_7"},
		{"a line break in the subject", notification(map[string]string{"subject": `"Hi\nBcc: x@y.test"`}), "subject", "line breaks", "n_7"},
		{"an empty body", notification(map[string]string{"body": `""`}), "body", "empty", "n_7"},
		{"fallback to its own channel", notification(map[string]string{"fallback": `["sms", "email"]`}), "fallback", "own channel", "n_7"},
		{"fallback twice", notification(map[string]string{"fallback": `["sms", "sms"]`}), "fallback", "sms more than once", "n_7"},
		{"fallback unknown", notification(map[string]string{"fallback": `["fax"]`}), "fallback", "channel names", "n_7"},
		{"fallback with null", notification(map[string]string{"fallback": `[null]`}), "fallback", "channel names", "n_7"},
		{"fallback of numbers", notification(map[string]string{"fallback": `[1]`}), "fallback", "channel names", "n_7"},
		{"fallback null", notification(map[string]string{"fallback": `null`}), "fallback", "must be an array, not null", "n_7"},
		{"recipients: unknown channel", notification(map[string]string{"recipients": `{"fax": "1"}`}), "recipients",
			"not email, slack, sms, teams, discord or webhook", "n_7"},
		{"recipients: null", notification(map[string]string{"recipients": `{"sms": null}`}), "recipients", "must map", "n_7"},
		{"recipients: twice", notification(map[string]string{"recipients": `{"sms": "+15005550006", "sms": "+15005550007"}`}), "recipients",
			"each once", "n_7"},
		{"recipients: a list", notification(map[string]string{"recipients": `[]`}), "recipients", "must be an object, not an array", "n_7"},
		{"unsubscribe by http", notification(map[string]string{"list_unsubscribe": `"http://acme.test/u"`}), "list_unsubscribe",
			"https or mailto", "n_7"},
		{"unsubscribe with a header", notification(map[string]string{"list_unsubscribe": `"https://acme.test/u>\r\nX: y"`}), "list_unsubscribe",
			"https or mailto", "n_7"},
		{"a long tenant", notification(map[string]string{"tenant": `"` + strings.Repeat("a", 129) + `"`}), "tenant", "128", "n_7"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Decode([]byte(c.in))
			var field *message.FieldError
			if !errors.As(err, &field) || !errors.Is(err, message.ErrMalformed) {
				t.Fatalf("got the error %v", err)
			}
			if field.Field != c.field || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %q of %q; want %q of %q", field.Problem, field.Field, c.says, c.field)
			}
			if got.ID != c.id {
				t.Errorf("got the id %q, want %q", got.ID, c.id)
			}
			for _, part := range []string{"ann@", "bob@", "words", "070", "secret", "acme.test"} {
				if strings.Contains(err.Error(), part) {
					t.Errorf("the error %q tells a part of the message", err)
				}
			}
		})
	}
}

// TestDecodeLeavesToTheChannels: what one channel can't take, another may.
func TestDecodeLeavesToTheChannels(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		on       Name
		says     string
	}{
		{"two addresses", notification(map[string]string{"recipient": `"ann@acme.test, bob@acme.test"`}), Email, "one email address"},
		{"a line break in an address", notification(map[string]string{"recipient": `"ann@acme.test\r\nBcc: bob@acme.test"`}),
			Email, "line breaks"},
		{"an address with a name", notification(map[string]string{"recipient": `"Ann <ann@acme.test>"`}), Email, "one email address"},
		{"not an address", notification(map[string]string{"recipient": `"ann"`}), Email, "one email address"},
		{"a long address", notification(map[string]string{"recipient": `"` + strings.Repeat("a", 250) + `@a.test"`}),
			Email, "one email address"},
		{"a local number", notification(map[string]string{"channel": `"sms"`, "recipient": `"070-1234567"`}), SMS, "E.164"},
		{"a number with letters", notification(map[string]string{"channel": `"sms"`, "recipient": `"+4670ABC4567"`}), SMS, "E.164"},
		{"16 digits", notification(map[string]string{"channel": `"sms"`, "recipient": `"+1234567890123456"`}), SMS, "E.164"},
		{"an email address on Slack", notification(map[string]string{"channel": `"slack"`}), Slack, "Slack"},
		{"a Slack name without #", notification(map[string]string{"channel": `"slack"`, "recipient": `"general"`}), Slack, "Slack"},
		{"a long subject", notification(map[string]string{"subject": `"` + strings.Repeat("a", 999) + `"`}), Email, "998"},
		{"a long email", notification(map[string]string{"body": `"` + strings.Repeat("a", 512<<10+1) + `"`}), Email, "512 KiB"},
		{"a long Slack text", notification(map[string]string{"channel": `"slack"`, "recipient": `"C1"`,
			"body": `"` + strings.Repeat("<", 10000) + `"`}),
			Slack, "40000"},
		{"a long SMS", notification(map[string]string{"channel": `"sms"`, "recipient": `"+15005550006"`,
			"body": `"` + strings.Repeat("a", 1597) + `"`}),
			SMS, "1600"},
		{"recipients: bad address", notification(map[string]string{"recipients": `{"sms": "1"}`}), SMS, "must be a phone number"},
		{"recipients: empty", notification(map[string]string{"recipients": `{"sms": ""}`}), SMS, "must not be empty"},
		{"recipients: very long", notification(map[string]string{"recipients": `{"sms": "+1` + strings.Repeat("5", 100<<10) + `"}`}),
			SMS, "E.164"},
		{"a very long address", notification(map[string]string{"recipient": `"` + strings.Repeat("ä", 100<<10) + `"`}),
			Email, "one email address"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n, err := Decode([]byte(c.in))
			if err != nil {
				t.Fatal(err)
			}
			got := CheckRecipient(c.on, n.Address(c.on)) + CheckText(c.on, n.Subject, n.Body)
			if !strings.Contains(got, c.says) {
				t.Errorf("%s can't take it because it %q, want %q", c.on, got, c.says)
			}
			if len(n.Address(c.on)) > 1<<10 {
				t.Errorf("an address of %d bytes is kept", len(n.Address(c.on)))
			}
		})
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	n := Notification{Channel: Email, Recipient: "a@b.test", Recipients: map[Name]string{SMS: "+15005550006"}}
	got := map[Name]string{Email: n.Address(Email), Slack: n.Address(Slack), SMS: n.Address(SMS)}
	if diff := cmp.Diff(map[Name]string{Email: "a@b.test", Slack: "", SMS: "+15005550006"}, got); diff != "" {
		t.Error(diff)
	}
	n.Recipients[Email] = "c@d.test"
	if got := n.Address(Email); got != "c@d.test" {
		t.Errorf("got %q", got)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ subject, body, slack, sms string }{
		{"Hi", "words", "*Hi*\nwords", "Hi: words"},
		{"", "words", "words", "words"},
		{"a<b", "<!channel> & \"so\" <http://x|y>", "*a&lt;b*\n&lt;!channel&gt; &amp; \"so\" &lt;http://x|y&gt;",
			`a<b: <!channel> & "so" <http://x|y>`},
	} {
		if got := SlackText(c.subject, c.body); got != c.slack {
			t.Errorf("Slack: got %q, want %q", got, c.slack)
		}
		if got := SMSText(c.subject, c.body); got != c.sms {
			t.Errorf("SMS: got %q, want %q", got, c.sms)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(notification(nil))
	f.Add(notification(map[string]string{"recipients": `{"sms": "+15005550006"}`, "fallback": `["sms"]`, "list_unsubscribe": `"mailto:a@b"`}))
	f.Add(`{"channel":"slack","recipient":"#a","body":"\ud83d\ude00","fallback":[]}`)
	f.Fuzz(func(t *testing.T, in string) {
		n, err := Decode([]byte(in))
		if err != nil {
			if !errors.Is(err, message.ErrMalformed) {
				t.Errorf("the error %v is not message.ErrMalformed", err)
			}
			return
		}
		seen := map[Name]bool{}
		for _, on := range n.Chain() {
			if !on.known() || seen[on] {
				t.Errorf("the chain %v", n.Chain())
			}
			seen[on] = true
			if a := n.Address(on); len(a) > 1<<10 || !utf8.ValidString(a) {
				t.Errorf("the address %q on %s", a, on)
			}
		}
		if strings.ContainsAny(n.Subject+n.ID+n.ListUnsubscribe+n.Tenant, "\r\n\x00") || n.Body == "" || n.Address(n.Channel) == "" {
			t.Errorf("taken: %+v", n)
		}
	})
}
