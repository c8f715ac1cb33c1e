package webhook

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/message"
)

// message is a valid message with some fields replaced by JSON texts, or left
// out where the text is "".
func aMessage(replaced map[string]string) string {
	all := map[string]string{
		"id": `"evt_1042"`, "url": `"https://hooks.acme.test/in?token=t0ken"`, "secret": `"efferent/webhooks/acme"`,
		"event_type": `"invoice.paid"`, "body": `{"any": "JSON"}`,
	}
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
	got, err := Decode([]byte(" " + aMessage(map[string]string{
		"tenant": `"acme"`, "headers": `{"x-a": "b\tc", "User-Agent": "mine"}`, "retry": `"replay"`, "timeout": `"15s"`, "id": `"evt\u005f1042"`,
	}) + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := Message{
		ID: "evt_1042", URL: "https://hooks.acme.test/in?token=t0ken", Secret: "efferent/webhooks/acme",
		EventType: "invoice.paid", Body: []byte(`{"any": "JSON"}`), Tenant: "acme", Retry: "replay", Timeout: 15 * time.Second,
		Headers: http.Header{"X-A": {"b\tc"}, "User-Agent": {"mine"}},
		target:  &url.URL{Scheme: "https", Host: "hooks.acme.test", Path: "/in", RawQuery: "token=t0ken"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestDecodeKeepsTheBody(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"b":1, "a" : [ 1.0e+2,-0, 123456789012345678901234567890 ] }`, "{\n\t\"x\":\r\n1}", `"\u00e9\/\ud83d\ude00é"`,
		`{"a":1,"a":2,"A":3}`, `"\ud800"`, `null`, `true`, `0`, `""`, `[]`, `{"id":"x","url":null}`,
	} {
		got, err := Decode([]byte(`{"body":` + "  " + body + " \n" + `,` + strings.TrimPrefix(aMessage(map[string]string{"body": ""}), "{")))
		if err != nil || string(got.Body) != body {
			t.Errorf("%s: got %s, %v", body, got.Body, err)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	with := func(field, text string) string { return aMessage(map[string]string{field: text}) }
	cases := []struct{ name, in, field, says string }{
		{"empty", "", "", "not valid JSON"},
		{"not JSON", "hello", "", "not valid JSON at byte 0"},
		{"cut off", `{"id": "a"`, "", "not valid JSON at byte 10"},
		{"cut off in a value", `{"id": "a`, "id", "not valid JSON"},
		{"broken body", with("body", `{"a":}`), "body", "not valid JSON at byte"},
		{"an array", "[" + aMessage(nil) + "]", "", "must be a JSON object, not an array"},
		{"null", "null", "", "must be a JSON object, not null"},
		{"trailing data", aMessage(nil) + "{}", "", "something after"},
		{"trailing text", aMessage(nil) + "x", "", "something after"},
		{"not UTF-8 in the body", with("body", "\"\xff\""), "", "not valid UTF-8"},
		{"deeper than any JSON", with("body", strings.Repeat("[", 20000)+strings.Repeat("]", 20000)), "body", "not valid JSON"},
		{"unknown key", with("colour", `"red"`), "colour", "unknown"},
		{"misspelt key", with("evnt_type", `"red"`), "evnt_type", `did you mean "event_type"?`},
		{"differently cased key", with("URL", `"https://b.test"`), "URL", `did you mean "url"?`},
		{"repeated key", strings.Replace(aMessage(nil), "{", `{"id": "other", `, 1), "id", "more than once"},
		{"repeated key, escaped", strings.Replace(aMessage(nil), "{", `{"\u0069d": "other", `, 1), "id", "more than once"},
		{"no url", with("url", ""), "url", "missing"},
		{"no secret", with("secret", ""), "secret", "missing"},
		{"no event_type", with("event_type", ""), "event_type", "missing"},
		{"no body", with("body", ""), "body", "missing"},
		{"id a number", with("id", "7"), "id", "must be a string, not a number"},
		{"id empty", with("id", `""`), "id", "1 to 128"},
		{"id too long", with("id", `"`+strings.Repeat("a", 129)+`"`), "id", "1 to 128"},
		{"id with a dot", with("id", `"a.b"`), "id", "1 to 128"},
		{"url null", with("url", "null"), "url", "must be a string, not null"},
		{"url relative", with("url", `"/in"`), "url", "must begin with https://"},
		{"url without //", with("url", `"https:hooks.acme.test"`), "url", "has no host"},
		{"url of another scheme", with("url", `"ftp://a.test/"`), "url", "must begin with https://"},
		{"url without host", with("url", `"https:///in"`), "url", "has no host"},
		{"url with only a port", with("url", `"https://:80/in"`), "url", "has no host"},
		{"url with a password", with("url", `"https://u:hunter2@a.test/"`), "url", "no user name or password"},
		{"url with a fragment", with("url", `"https://a.test/#x"`), "url", "fragment"},
		{"url with port 0", with("url", `"https://a.test:0/"`), "url", "port"},
		{"url with port 65536", with("url", `"https://a.test:65536/"`), "url", "port"},
		{"url with a named port", with("url", `"https://a.test:http/"`), "url", "is not a URL"},
		{"url with a line break", with("url", `"https://a.test/\n"`), "url", "has a control character"},
		{"url too long", with("url", `"https://a.test/`+strings.Repeat("a", 9000)+`"`), "url", "8 KiB"},
		{"url with half a surrogate pair", with("url", `"https://a.test/\udc00"`), "url", "not valid Unicode"},
		{"secret elsewhere", with("secret", `"prod/database"`), "secret", "under efferent/webhooks/"},
		{"secret itself", with("secret", `"whsec_hunter2"`), "secret", "under efferent/webhooks/"},
		{"secret only a prefix", with("secret", `"efferent/webhooks/"`), "secret", "under efferent/webhooks/"},
		{"secret only a prefix and a key", with("secret", `"efferent/webhooks/#k"`), "secret", "under efferent/webhooks/"},
		{"secret of another service", with("secret", `"arn:aws:kms:us-east-1:000000000000:secret:efferent/webhooks/a"`), "secret", "not the ARN"},
		{"secret's ARN without an account", with("secret", `"arn:aws:secretsmanager:us-east-1::secret:efferent/webhooks/a"`), "secret",
			"not the ARN"},
		{"secret's ARN elsewhere", with("secret", `"arn:aws:secretsmanager:us-east-1:000000000000:secret:prod/efferent/webhooks/a"`), "secret",
			"under efferent/webhooks/"},
		{"secret with a space", with("secret", `"efferent/webhooks/a b"`), "secret", "not a name"},
		{"secret with an empty key", with("secret", `"efferent/webhooks/a#"`), "secret", "no key after the #"},
		{"event_type empty", with("event_type", `""`), "event_type", "1 to 256"},
		{"event_type with a line break", with("event_type", `"a\r\nb"`), "event_type", "control characters"},
		{"event_type with a space before", with("event_type", `" a"`), "event_type", "spaces around"},
		{"event_type too long", with("event_type", `"`+strings.Repeat("a", 257)+`"`), "event_type", "1 to 256"},
		{"tenant null", with("tenant", "null"), "tenant", "not null"},
		{"tenant a boolean", with("tenant", "true"), "tenant", "not a boolean"},
		{"tenant with a control character", with("tenant", `"a\u0000"`), "tenant", "control characters"},
		{"retry an array", with("retry", "[]"), "retry", "not an array"},
		{"timeout a number", with("timeout", "15"), "timeout", "must be a string, not a number"},
		{"timeout without a unit", with("timeout", `"15"`), "timeout", `from 1s to 20s, such as "15s"`},
		{"timeout too short", with("timeout", `"999ms"`), "timeout", "from 1s to 20s"},
		{"timeout too long", with("timeout", `"20001ms"`), "timeout", "from 1s to 20s"},
		{"timeout of several units", with("timeout", `"1s500ms"`), "timeout", "from 1s to 20s"},
		{"timeout in hours", with("timeout", `"0.001h"`), "timeout", "from 1s to 20s"},
		{"timeout with a sign", with("timeout", `"+5s"`), "timeout", "from 1s to 20s"},
		{"timeout empty", with("timeout", `""`), "timeout", "from 1s to 20s"},
		{"headers a string", with("headers", `"X-A: b"`), "headers", "must be an object of strings"},
		{"header a number", with("headers", `{"X-A": 1}`), "headers", `"X-A" must be a string, not a number`},
		{"header twice", with("headers", `{"X-A": "1", "X-A": "2"}`), "headers", `"X-A" appears more than once`},
		{"header twice in another case", with("headers", `{"X-A": "1", "x-a": "2"}`), "headers", `"x-a" appears more than once`},
		{"header name empty", with("headers", `{"": "1"}`), "headers", "not a header name"},
		{"header name with a colon", with("headers", `{"X-A:": "1"}`), "headers", "not a header name"},
		{"header name with a line break", with("headers", `{"X\r\nA": "1"}`), "headers", "not a header name"},
		{"header name beyond ASCII", with("headers", `{"X-é": "1"}`), "headers", "not a header name"},
		{"header with CR and LF", with("headers", `{"X-A": "1\r\nX-B: 2"}`), "headers", "line break"},
		{"header with NUL", with("headers", `{"X-A": "\u0000"}`), "headers", "control character"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := Decode([]byte(c.in))
			var wrong *message.FieldError
			if !errors.As(err, &wrong) || !errors.Is(err, message.ErrMalformed) {
				t.Fatalf("got %+v, %v", got, err)
			}
			if wrong.Field != c.field || !strings.Contains(wrong.Problem, c.says) {
				t.Errorf("got %v, want field %q and %q", err, c.field, c.says)
			}
			for _, private := range []string{"hunter2", "t0ken", "database"} {
				if strings.Contains(err.Error(), private) {
					t.Errorf("%v quotes a value", err)
				}
			}
		})
	}
}

func TestDecodeReservedHeaders(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"Host", "Content-Type", "content-length", "Content-Encoding", "webhook-id", "Webhook-Signature", "X-Webhook-Signature",
		"x-webhook-anything", "Connection", "Keep-Alive", "Proxy-Authorization", "proxy-connection", "TE", "Trailer",
		"transfer-encoding", "Upgrade", "Expect",
	} {
		_, err := Decode([]byte(aMessage(map[string]string{"headers": fmt.Sprintf(`{"X-A": "1", %q: "2"}`, name)})))
		if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q may not be set", name)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"Authorization", "User-Agent", "X-Hook", "Hostname", "Idempotency-Key"} {
		if _, err := Decode([]byte(aMessage(map[string]string{"headers": fmt.Sprintf(`{%q: "2"}`, name)}))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDecodeTakes(t *testing.T) {
	t.Parallel()
	for field, texts := range map[string][]string{
		"secret": {`"efferent/webhooks/a#key"`, `"arn:aws:secretsmanager:us-east-1:000000000000:secret:efferent/webhooks/acme-AbCdEf#k"`,
			`"arn:aws-cn:secretsmanager:cn-north-1:000000000000:secret:efferent/webhooks/acme"`},
		"url":    {`"http://127.0.0.1:65535"`, `"HTTPS://[::1]:1/?a=b"`, `"https://bücher.test/ü"`, `"http:\/\/a.test\/"`},
		"id":     {"", `"` + strings.Repeat("Z", 128) + `"`, `"_-09"`},
		"retry":  {`""`},
		"tenant": {`""`}, "timeout": {`"1s"`, `"20s"`, `"2500ms"`, `"2.5s"`, `"20.000s"`},
	} {
		for _, text := range texts {
			if _, err := Decode([]byte(aMessage(map[string]string{field: text}))); err != nil {
				t.Errorf("%s %s: %v", field, text, err)
			}
		}
	}
}

// A failure is recorded under the id, so that must come through wherever it
// stands.
func TestDecodeKeepsWhatIsGood(t *testing.T) {
	t.Parallel()
	cases := map[string]string{
		"bad first":   `{"colour": {"a": [1]}, "body": 1, "secret": 7, "url": "https://a.test/", "event_type": "e", "id": "i"}`,
		"bad last":    `{"id": "i", "event_type": "e", "url": "https://a.test/", "headers": {"Host": "x"}, "tenant": null}`,
		"cut off":     `{"id": "i", "event_type": "e", "url": "https://a.test/", "body": {"a`,
		"not UTF-8":   "{\"body\": \"\xff\", \"id\": \"i\", \"event_type\": \"e\", \"url\": \"https://a.test/\"}",
		"said twice":  `{"id": "i", "event_type": "e", "url": "https://a.test/", "id": "j"}`,
		"all in good": `{"id": "i", "event_type": "e", "url": "https://a.test/"}x`,
	}
	for name, in := range cases {
		m, err := Decode([]byte(in))
		if err == nil || m.ID != "i" || m.EventType != "e" || m.URL != "https://a.test/" {
			t.Errorf("%s: got %+v, %v", name, m, err)
		}
	}
	if m, _ := Decode([]byte(`{"id": "not valid", "url": "ftp://a", "event_type": "\n"}`)); m.ID != "" || m.URL != "" || m.EventType != "" {
		t.Errorf("a bad value came through: %+v", m)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		aMessage(nil), aMessage(map[string]string{"headers": `{"X-A":"b"}`, "body": ` [1, "\ud800"] `}), `{"id":`, "[]", "\xff", `{"body":null}`,
		aMessage(map[string]string{"timeout": `"15s"`}),
		aMessage(map[string]string{"headers": `{"X-A":["b"],"x-a":1}`}), aMessage(map[string]string{"ur\\u006c": `"x"`}),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		before := bytes.Clone(in)
		m, err := Decode(in)
		if !bytes.Equal(in, before) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			if len(err.Error()) > 1000 {
				t.Fatalf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		if !json.Valid(in) || !json.Valid(m.Body) || !bytes.Contains(in, m.Body) || !bytes.Equal(bytes.TrimSpace(m.Body), m.Body) {
			t.Fatalf("body %q out of %q", m.Body, in)
		}
		if m.URL == "" || m.Secret == "" || m.EventType == "" {
			t.Fatalf("a required field is empty: %+v", m)
		}
		if m.Timeout != 0 && (m.Timeout < MinTimeout || m.Timeout > MaxTimeout) {
			t.Fatalf("a timeout of %v", m.Timeout)
		}
		for _, values := range m.Headers {
			if strings.ContainsAny(values[0], "\r\n\x00") {
				t.Fatalf("header %q", values)
			}
		}
	})
}
