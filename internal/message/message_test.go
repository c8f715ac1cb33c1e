package message

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// read reads an object of any keys, but for "bad".
func read(text string) (keys []string, whole bool, err error) {
	o := Object{Data: []byte(text), Decoder: jsontext.NewDecoder(strings.NewReader(text), jsontext.AllowDuplicateNames(true))}
	whole = o.Read(func() bool {
		key, err := o.Decoder.ReadToken()
		if err != nil {
			return o.Syntax("", err)
		}
		name := key.String()
		keys = append(keys, name)
		if _, err := o.Decoder.ReadValue(); err != nil {
			return o.Syntax(name, err)
		}
		if name == "bad" {
			o.Fail(name, "is bad")
		}
		return true
	})
	return keys, whole, o.Err()
}

func TestObject(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, keys string
		whole      bool
		says       string
	}{
		{`{}`, "", true, ""},
		{` {"a": 1, "b": [{}]} ` + "\n", "a b", true, ""},
		{`{"bad": 1, "b": 2}`, "bad b", true, `field "bad": is bad`},
		{`{"bad": 1, "b": }`, "bad b", false, `field "bad": is bad`},
		{`{"a": 1} x`, "a", true, "message: has something after the JSON object"},
		{`[1]`, "", false, "message: must be a JSON object, not an array"},
		{`"x"`, "", false, "not a string"},
		{`true`, "", false, "not a boolean"},
		{`null`, "", false, "not null"},
		{`7`, "", false, "not a number"},
		{``, "", false, "message: is not valid JSON: it ends too early"},
		{`{"a": 1`, "a", false, "message: is not valid JSON at byte 7"},
		{`{"a": x}`, "a", false, `field "a": not valid JSON at byte 6`},
		{`{a: 1}`, "", false, "message: is not valid JSON at byte 1"},
	} {
		keys, whole, err := read(c.text)
		got := ""
		if err != nil {
			got = err.Error()
			if !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v is not ErrMalformed", c.text, err)
			}
		}
		if strings.Join(keys, " ") != c.keys || whole != c.whole || !strings.Contains(got, c.says) || (c.says == "") != (err == nil) {
			t.Errorf("%s: read %v, whole %v, %v; want %s, %v, %q", c.text, keys, whole, err, c.keys, c.whole, c.says)
		}
	}
}

func TestFields(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{"a": true, "A-z_09": true, strings.Repeat("a", 128): true, "": false,
		strings.Repeat("a", 129): false, "a.b": false, "ä": false, "a\n": false} {
		if ValidID(id) != want || (CheckID(id) == "") != want {
			t.Errorf("the id %q: want %v", id, want)
		}
	}
	for tenant, want := range map[string]bool{"": true, "Äcme & Sons": true, strings.Repeat("a", 129): false, "a\x00": false} {
		if (CheckTenant(tenant) == "") != want {
			t.Errorf("the tenant %q: want %v", tenant, want)
		}
	}
	for text, want := range map[string]string{"abc": "abc", "abcd": "abc", "abä": "ab", "\xff": "\uFFFD", "ab\xff": "ab", "": ""} {
		if got := Shorten(text, 3); got != want {
			t.Errorf("%q is shortened to %q, want %q", text, got, want)
		}
	}
}

func TestOwners(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"a", "Acme-1_2.b@c", strings.Repeat("a", 100)} {
		if problem := CheckOwner(good); problem != "" {
			t.Errorf("%q %s", good, problem)
		}
	}
	for _, bad := range []string{"", ".", "..", "-a", "_a", "@a", "a/b", "a b", "a%2fb", "ä", "a\n", strings.Repeat("a", 101)} {
		if CheckOwner(bad) == "" {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestHasControl(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]bool{
		"": false, "a b~": false, "é\u00a0\u00ad": false, "\u2027\u202a": false, "\xff": false,
		"a\x00": true, "a\tb": true, "a\r": true, "\n": true, "\x1f": true, "\x7f": true,
		"é\n": true, "a\u0080": true, "\u0085": true, "\u009f": true, "\u2028": true, "é\u2029": true,
	} {
		if HasControl(s) != want {
			t.Errorf("%q: want %v", s, want)
		}
	}
}

func TestSuggestion(t *testing.T) {
	t.Parallel()
	fields := []string{"id", "url", "event_type"}
	for name, want := range map[string]string{
		"evnt_type": "event_type", "EventType": "event_type", "Url": "url", "ur": "url", "uuid": "", "x": "", "": "", "nothing_like_it": "",
	} {
		got := Suggestion(name, fields)
		if want == "" && got != "" || want != "" && got != `; did you mean "`+want+`"?` {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
