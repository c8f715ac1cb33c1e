package signingkey_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/signingkey"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func TestKey(t *testing.T) {
	t.Parallel()
	history := func(members string) string { return `{"a":{` + members + `}}` }
	const later = `"until":"2026-11-26T12:00:01Z"`
	for label, c := range map[string]struct {
		text, want string // want: the keys that sign at noon
		is         error
		says       string
	}{
		"a text":                     {text: ` {"b":1, "a" : "topsecret\n"} `, want: "topsecret\n"},
		"a history":                  {text: history(`"current":"new","previous":"topsecret",` + later), want: "new topsecret"},
		"until now":                  {text: history(`"current":"new","previous":"topsecret","until":"2026-11-26T12:00:00Z"`), want: "new"},
		"until, in another zone":     {text: history(`"current":"new","previous":"old","until":"2026-11-26T13:00:00.5+01:00"`), want: "new old"},
		"an empty history":           {text: history(`"current":"new"`), want: "new"},
		"the same key twice":         {text: history(`"current":"new","previous":"new","until":"2027-01-01T00:00:00Z"`), want: "new"},
		"no such key":                {text: `{"A":"topsecret"}`, is: signingkey.ErrNoKey, says: `key "a"`},
		"no key at all":              {text: `{}`, is: signingkey.ErrNoKey},
		"an empty text":              {text: `{"a":""}`, is: signingkey.ErrNoKey, says: "empty"},
		"a number":                   {text: `{"a":7}`, is: signingkey.ErrNoKey, says: "neither a text nor an object"},
		"null":                       {text: `{"a":null}`, is: signingkey.ErrNoKey, says: "neither"},
		"an array":                   {text: `{"a":["topsecret"]}`, is: signingkey.ErrNoKey, says: "neither"},
		"a history without current":  {text: history(`"previous":"topsecret",` + later), is: signingkey.ErrNoKey, says: "current"},
		"previous without until":     {text: history(`"current":"topsecret","previous":"old"`), says: "belong together"},
		"until without previous":     {text: history(`"current":"topsecret",` + later), says: "belong together"},
		"until is no time":           {text: history(`"current":"topsecret","previous":"old","until":"topsecret"`), says: "RFC 3339"},
		"a field is misspelt":        {text: history(`"current":"topsecret","Previous":"old",` + later), says: `{"current"`},
		"a field of the wrong type":  {text: history(`"current":["topsecret"]`), says: "three texts"},
		"not JSON":                   {text: "topsecret", is: signingkey.ErrNotObject},
		"nothing":                    {text: "", is: signingkey.ErrNotObject},
		"an array of objects":        {text: `[{"a":"topsecret"}]`, is: signingkey.ErrNotObject},
		"not whole":                  {text: `{"a":"topsecret"`, is: signingkey.ErrNotObject},
		"more after it":              {text: `{"a":"topsecret"}{}`, is: signingkey.ErrNotObject},
		"a key twice":                {text: `{"a":"topsecret","a":"other"}`, is: signingkey.ErrNotObject},
		"a history with a key twice": {text: history(`"current":"topsecret","current":"other"`), is: signingkey.ErrNotObject},
		"not UTF-8":                  {text: "{\"a\":\"topsecret\xff\"}", is: signingkey.ErrNotObject},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			o, err := signingkey.Parse(c.text)
			var k signingkey.Key
			if err == nil {
				k, err = o.Key("a")
			}
			if c.is != nil && !errors.Is(err, c.is) || (err != nil) != (c.want == "") {
				t.Fatalf("got %v, want %v", err, c.is)
			}
			if err != nil && (!strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "topsecret")) {
				t.Errorf("%q does not tell %q, or it tells the secret", err, c.says)
			}
			if err == nil && strings.Join(k.At(noon), " ") != c.want {
				t.Errorf("%q sign, want %q", k.At(noon), c.want)
			}
		})
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	o, err := signingkey.Parse(`{"z":"k","n":7,"note":{"by":"ann"},"h":{"current":"k"},"a":"","bad":{"current":1}}`)
	if got, want := o.Names(), []string{"z", "h", "a", "bad"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

func TestPut(t *testing.T) {
	t.Parallel()
	for label, c := range map[string]struct {
		text, name, key, want string
		is                    error
	}{
		"the first":         {"", "a", "k", `{"a":"k"}`, nil},
		"into an empty one": {"{ }", "a", "k", `{"a":"k" }`, nil},
		"one more": {"{\n \"n\": 1.00 , \"b\": \"\\u00e9\"\n}", "a", `"k"`,
			"{\n \"n\": 1.00 , \"b\": \"\\u00e9\",\"a\":\"\\\"k\\\"\"\n}", nil},
		"in its place":        {`{"a":"old","b":"k2"}`, "a", "k", `{"a":"k","b":"k2"}`, nil},
		"over a history":      {`{"a" : {"current":"x"} ,"b":"k2"}`, "a", "k", `{"a" : "k" ,"b":"k2"}`, nil},
		"over a number":       {`{"a":7}`, "a", "k", `{"a":"k"}`, nil},
		"a name with quotes":  {`{}`, `é"`, "k", `{"é\"":"k"}`, nil},
		"into a plain secret": {"plain", "a", "k", "", signingkey.ErrNotObject},
		"no name":             {"{}", "", "k", "", nil},
		"no key":              {"{}", "a", "", "", nil},
		"no text":             {"{}", "a", "\xff", "", nil},
		"no text of a name":   {"{}", "\xff", "a", "", nil},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			got, err := signingkey.Put(c.text, c.name, c.key)
			if got != c.want || (err == nil) != (c.want != "") || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %q, %v; want %q, %v", got, err, c.want, c.is)
			}
		})
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	for label, c := range map[string]struct {
		text, want string
		is         error
	}{
		"the first":        {text: `{ "a" : "x" , "b":1.00}`, want: `{ "b":1.00}`},
		"the last":         {text: `{"b":"y",  "a":{"current":"x"} }`, want: `{"b":"y" }`},
		"one between":      {text: `{"b":"y","a":"x","c":"z"}`, want: `{"b":"y","c":"z"}`},
		"the only one":     {text: ` {"a":"x"}`, want: ` {}`},
		"a damaged one":    {text: `{"a":{"until":1},"b":"y"}`, want: `{"b":"y"}`},
		"another is there": {text: `{"A":"x"}`, is: signingkey.ErrNoKey},
		"no object":        {text: `whsec_x`, is: signingkey.ErrNotObject},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			got, err := signingkey.Remove(c.text, "a")
			if got != c.want || !errors.Is(err, c.is) {
				t.Errorf("got %q, %v; want %q, %v", got, err, c.want, c.is)
			}
		})
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	for label, c := range map[string]struct {
		text, want string
		grace      time.Duration
		is         error
		says       string
	}{
		"a text": {text: `{"b": 1.0, "a": "old"}`, grace: time.Hour,
			want: `{"b": 1.0, "a": {"current":"new","previous":"old","until":"2026-11-26T13:00:00Z"}}`},
		"a history": {text: `{"a":{"current":"old","previous":"older","until":"2026-11-26T15:00:00Z"}}`, grace: signingkey.MaxGrace,
			want: `{"a":{"current":"new","previous":"old","until":"2026-12-03T12:00:00Z"}}`},
		"no grace": {text: `{"a":{"current":"old","previous":"older","until":"2026-11-26T15:00:00Z"}}`, want: `{"a":{"current":"new"}}`},
		"repeated": {text: `{"a": {"current":"new","previous":"old","until":"2026-11-26T13:00:00Z"}}`, grace: 2 * time.Hour,
			want: `{"a": {"current":"new","previous":"old","until":"2026-11-26T13:00:00Z"}}`},
		"no such key":      {text: `{"b":"old"}`, grace: time.Hour, is: signingkey.ErrNoKey, says: "nothing to rotate"},
		"a number":         {text: `{"a":7}`, grace: time.Hour, is: signingkey.ErrNoKey, says: "neither"},
		"a broken history": {text: `{"a":{"current":"old","until":"x"}}`, grace: time.Hour, says: "belong together"},
		"a plain secret":   {text: "old", grace: time.Hour, is: signingkey.ErrNotObject},
		"a longer grace":   {text: `{"a":"old"}`, grace: signingkey.MaxGrace + 1, says: "0 to 168 hours"},
		"a negative grace": {text: `{"a":"old"}`, grace: -1, says: "0 to 168 hours"},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			got, err := signingkey.Rotate(c.text, "a", "new", noon, c.grace)
			if got != c.want || (err == nil) != (c.want != "") || c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("got %q, %v; want %q, %v", got, err, c.want, c.is)
			}
			if err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("%q does not tell %q", err, c.says)
			}
		})
	}
}

// TestAnEmptyHistoryIsOne: what was rotated without a grace must not be taken
// for a key that somebody put by hand.
func TestAnEmptyHistoryIsOne(t *testing.T) {
	t.Parallel()
	text, _ := signingkey.Rotate(`{"a":"old","b":"k"}`, "a", "new", noon, 0)
	o, _ := signingkey.Parse(text)
	for name, want := range map[string]bool{"a": true, "b": false} {
		if k, err := o.Key(name); err != nil || k.Historic != want {
			t.Errorf("%s: got %v, %v", name, k.Historic, err)
		}
	}
}

// FuzzChange: after each change the key is as it was set, and all others are as
// they were.
func FuzzChange(f *testing.F) {
	f.Add(`{"a":"old","b":{"current":"x","previous":"y","until":"2026-11-26T13:00:00Z"}}`, "a", "new", int64(3600))
	f.Add("{\n}", "", "k", int64(0))
	f.Add(`{"é":1e3, "n":{"é":null}}`, "é", `"`, int64(7*24*3600))
	f.Fuzz(func(t *testing.T, text, name, key string, seconds int64) {
		before, err := signingkey.Parse(text)
		if err != nil {
			before = signingkey.Object{}
		}
		for _, known := range before.Names() {
			_, _ = before.Key(known)
		}
		old, _ := before.Key(name)
		if put, err := signingkey.Put(text, name, key); err == nil {
			checkSet(t, text, put, name, signingkey.Key{Current: key})
		}
		grace := time.Duration(seconds) * time.Second
		rotated, err := signingkey.Rotate(text, name, key, noon, grace)
		if err != nil || rotated == text {
			return
		}
		want := signingkey.Key{Current: key, Historic: true}
		if grace > 0 {
			want.Previous, want.Until = old.Current, noon.Add(grace)
		}
		checkSet(t, text, rotated, name, want)
	})
}

func checkSet(t *testing.T, before, after, name string, want signingkey.Key) {
	t.Helper()
	was, is := map[string]jsontext.Value{}, map[string]jsontext.Value{}
	_ = json.Unmarshal([]byte(before), &was)
	if err := json.Unmarshal([]byte(after), &is); err != nil {
		t.Fatalf("%q made %q: %v", before, after, err)
	}
	o, err := signingkey.Parse(after)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := o.Key(name); err != nil || got != want {
		t.Errorf("%q: got %+v, %v; want %+v", after, got, err, want)
	}
	delete(was, name)
	delete(is, name)
	if len(was) != len(is) {
		t.Errorf("%q made %q: another number of keys", before, after)
	}
	for other, value := range was {
		if string(is[other]) != string(value) {
			t.Errorf("%q made %q: %q is another", before, after, other)
		}
	}
}
