package endpoint

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

// TestFilters has each kind of pattern beside bodies that it matches, and after the
// bar those that it does not.
func TestFilters(t *testing.T) {
	t.Parallel()
	for filter, bodies := range map[string]string{
		`{"a":["x"]}`: `{"a":"x"} {"a":["y","x"]} {"a":[["x"]]} {"a":"x","b":1} {"a":"\u0078"} {"a":1,"a":"x"} | ` +
			`{} {"a":"X"} {"a":"xx"} {"a":["y"]} {"a":{"b":"x"}} {"A":"x"} [] 5 null "x" [{"a":"x"}]`,
		`{"a":["x","y"]}`:            `{"a":"y"} | {"a":"z"}`,
		`{"a":[""]}`:                 `{"a":""} | {"a":null} {}`,
		`{"a":[null]}`:               `{"a":null} {"a":[1,null]} | {} {"a":""} {"a":"null"} {"a":false}`,
		`{"a":[true]}`:               `{"a":true} | {"a":"true"} {"a":false} {"a":1}`,
		`{"a":[300]}`:                `{"a":300} {"a":300.0} {"a":3e2} {"a":[1,3.0E+2]} | {"a":"300"} {"a":301}`,
		`{"a":[9007199254740993]}`:   `{"a":9007199254740993} | {"a":9007199254740992} {"a":9007199254740994}`,
		`{"a":[1e20]}`:               `{"a":100000000000000000000} {"a":1.00e20} {"a":0.1E+21} | {"a":100000000000000000001} {"a":-1e20}`,
		`{"a":[9007199254740993.0]}`: `{"a":9007199254740993} {"a":9007199254740993e0} | {"a":9007199254740992}`,
		`{"a":[0.1]}`:                `{"a":1e-1} {"a":0.10} | {"a":0.1000000000000000055} {"a":1}`,
		`{"a":[0]}`:                  `{"a":-0} {"a":0.0} {"a":0e5} | {"a":1e-400} {"a":-1e-400} {"a":null}`,
		`{"a":["x"],"b":[1]}`:        `{"a":"x","b":1} | {"a":"x"} {"b":1} {"a":"x","b":2}`,

		`{"a":{"b":["x"]}}`: `{"a":{"b":"x"}} {"a":[{"b":"y"},{"b":"x"}]} {"a":[[{"b":["x"]}]]} | {"a":"x"} {"b":"x"} {"a.b":"x"}`,
		`{"p":{"first":["Anna"],"last":["Jones"]}}`: `{"p":{"first":"Anna","last":"Jones"}} ` +
			`{"p":[{"first":"Anna"},{"first":"Anna","last":"Jones"}]} | ` +
			`{"p":[{"first":"Anna","last":"Smith"},{"first":"Peter","last":"Jones"}]}`,

		`{"a":[{"prefix":"us-"}]}`: `{"a":"us-east"} {"a":"us-"} {"a":["eu","us-1"]} | {"a":"us"} {"a":"US-"} {"a":["eu"]} {"a":5} {}`,
		`{"a":[{"prefix":""}]}`:    `{"a":""} {"a":"b"} | {"a":1} {"a":null} {}`,

		`{"a":[{"exists":true}]}`: `{"a":0} {"a":null} {"a":""} {"a":[1]} {"a":[{"b":1},2]} | ` +
			`{} {"a":{"b":1}} {"a":[]} {"a":{}} {"a":[{"b":1}]} {"b":1}`,
		`{"a":[{"exists":false}]}`:       `{} {"a":{"b":1}} {"a":[]} {"a":{}} {"b":1} [] [{"a":0}] null 5 | {"a":0} {"a":null} {"a":[1]}`,
		`{"a":{"b":[{"exists":false}]}}`: `{} {"a":5} {"a":{}} {"a":{"c":1}} {"a":[]} | {"a":{"b":1}} {"a":[{"b":1},{"c":2}]}`,
		`{"a":["x",{"exists":false}]}`:   `{} {"a":"x"} | {"a":"y"}`,
		`{"a":{"b":[{"exists":false}],"c":[1]}}`: `{"a":{"c":1}} {"a":[{"c":1},{"d":2}]} | ` +
			`{} {"a":{}} {"a":{"b":1,"c":1}} {"a":[{"c":1},{"b":2}]}`,

		`{"a":[{"numeric":["=",5]}]}`:           `{"a":5} {"a":5.0} | {"a":"5"} {"a":6} {}`,
		`{"a":[{"numeric":["<",10]}]}`:          `{"a":9.99} {"a":-1e9} | {"a":10} {"a":null}`,
		`{"a":[{"numeric":["<=",10]}]}`:         `{"a":10} | {"a":10.1}`,
		`{"a":[{"numeric":[">",0,"<=",5]}]}`:    `{"a":0.1} {"a":5} {"a":[7,3]} | {"a":0} {"a":5.1} {"a":[-1,7]}`,
		`{"a":[{"numeric":[">=",0]}]}`:          `{"a":0} {"a":1} | {"a":-0.1}`,
		`{"a":[{"numeric":[">=",0,"<",5]}, 9]}`: `{"a":0} {"a":4.9} {"a":9} | {"a":5} {"a":8}`,

		`{"a":[{"numeric":[">",9007199254740992]}]}`: `{"a":9007199254740993} {"a":1e999} | {"a":9007199254740992} {"a":-1e999}`,
		`{"a":[{"numeric":["<",1e400]}]}`:            `{"a":1e399} {"a":-1e401} {"a":1e-9999999999999999999} | {"a":1e400} {"a":1e401}`,
		`{"a":[{"numeric":["<=",100]}]}`:             `{"a":1e2} {"a":99.99999999999999999999} | {"a":100.00000000000000000001}`,

		`{"a":[{"anything-but":"x"}]}`: `{"a":"y"} {"a":5} {"a":null} {"a":["x","y"]} | ` +
			`{"a":"x"} {} {"a":["x"]} {"a":{"b":1}} {"a":[]}`,
		`{"a":[{"anything-but":["x","y"]}]}`:            `{"a":"z"} {"a":1} | {"a":"x"} {"a":"y"} {"a":["x","y"]}`,
		`{"a":[{"anything-but":[100,200]}]}`:            `{"a":1} {"a":"100"} | {"a":100.0} {"a":2e2}`,
		`{"a":[{"anything-but":5}]}`:                    `{"a":6} | {"a":5}`,
		`{"a":[{"anything-but":{"prefix":"init"}}]}`:    `{"a":"x"} {"a":"ini"} {"a":5} | {"a":"init"} {"a":"initial"} {}`,
		`{"a":[{"anything-but":{"prefix":["a","b"]}}]}`: `{"a":"c"} | {"a":"ab"} {"a":"b"}`,
	} {
		f, err := ParseFilter(jsontext.Value(filter))
		if err != nil {
			t.Errorf("%s: %v", filter, err)
			continue
		}
		yes, no, _ := strings.Cut(bodies, " | ")
		for want, list := range map[bool]string{true: yes, false: no} {
			for body := range strings.FieldsSeq(list) {
				if f.Matches([]byte(body)) != want {
					t.Errorf("%s on %s: want %v", filter, body, want)
				}
			}
		}
	}
}

func TestFiltersThatAreRefused(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string]string{
		`{}`:                                   "has no field",
		`[]`:                                   "must be an object",
		`null`:                                 "must be an object",
		`"a"`:                                  "must be an object",
		`{"a"`:                                 "must be JSON",
		`{"a":[1]} x`:                          "must be JSON",
		`{"a":[1],"a":[2]}`:                    "no key stands twice",
		`{"a":"x"}`:                            `"a": must be an array`,
		`{"a":null}`:                           `"a": must be an array`,
		`{"a":[]}`:                             `"a": is an empty array`,
		`{"a":{}}`:                             `"a": has no field`,
		`{"a":{"b":5}}`:                        `"a.b": must be`,
		`{"a":[["x"]]}`:                        "an array in its array",
		`{"a":[{}]}`:                           "a condition of 0 keys",
		`{"a":[{"prefix":"a","exists":true}]}`: "a condition of 2 keys",
		`{"$or":[{"a":[1]},{"b":[1]}]}`:        "$or is not supported",
		`{"a":[{"suffix":"x"}]}`:               "suffix is not supported",
		`{"a":[{"cidr":"10.0.0.0/8"}]}`:        "cidr is not supported",
		`{"a":[{"wildcard":"*"}]}`:             "wildcard is not supported",
		`{"a":[{"equals-ignore-case":"x"}]}`:   "equals-ignore-case is not supported",
		`{"a":[{"prefix":{"equals-ignore-case":"x"}}]}`:               "prefix with equals-ignore-case is not supported",
		`{"a":[{"anything-but":{"suffix":"x"}}]}`:                     "anything-but with suffix is not supported",
		`{"a":[{"regex":"x"}]}`:                                       `"regex" is no operator`,
		`{"a":[{"prefix":5}]}`:                                        "prefix must be a string",
		`{"a":[{"exists":"true"}]}`:                                   "exists must be true or false",
		`{"a":[{"anything-but":[]}]}`:                                 "an empty array",
		`{"a":[{"anything-but":["x",1]}]}`:                            "strings only",
		`{"a":[{"anything-but":null}]}`:                               "anything-but must be",
		`{"a":[{"anything-but":[true]}]}`:                             "strings only",
		`{"a":[{"anything-but":{}}]}`:                                 "anything-but must be",
		`{"a":[{"anything-but":{"prefix":[]}}]}`:                      "an empty array",
		`{"a":[{"anything-but":{"prefix":""}}]}`:                      "not empty",
		`{"a":[{"numeric":[]}]}`:                                      "numeric must be",
		`{"a":[{"numeric":["<","5"]}]}`:                               "numeric must be",
		`{"a":[{"numeric":["!=",5]}]}`:                                "numeric must be",
		`{"a":[{"numeric":["<",5,">",0]}]}`:                           "numeric must be",
		`{"a":[{"numeric":["=",5,"<",6]}]}`:                           "numeric must be",
		`{"a":[{"numeric":[">",5,"<",5]}]}`:                           "nothing is between",
		`{"a":[{"numeric":5}]}`:                                       "numeric must be",
		`{"a":[{"numeric":{"<":5,"b":6}}]}`:                           "numeric must be",
		`{"a":[{"numeric":[">",0,">",5]}]}`:                           "numeric must be",
		`{"a":[{"numeric":[["<"],5]}]}`:                               "numeric must be",
		`{"a":[{"numeric":["<",5,6]}]}`:                               "numeric must be",
		`{"a":["` + strings.Repeat("x", 4096) + `"]}`:                 "bytes long",
		strings.Repeat(`{"a":`, 21) + `[1]` + strings.Repeat(`}`, 21): "goes deeper",
	} {
		if _, err := ParseFilter(jsontext.Value(filter)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: got %v, want %s", filter, err, want)
		}
	}
	if _, err := ParseFilter(jsontext.Value(`{"a":["` + strings.Repeat("x", 4096-len(`{"a":[""]}`)) + `"]}`)); err != nil {
		t.Errorf("of 4096 bytes: %v", err)
	}
	if _, err := ParseFilter(jsontext.Value(strings.Repeat(`{"a":`, 20) + `[1]` + strings.Repeat(`}`, 20))); err != nil {
		t.Error(err)
	}
}

// TestMatching reads a body once for all endpoints.
func TestMatching(t *testing.T) {
	t.Parallel()
	var all []*Ready
	for id, filter := range map[string]string{"ep_a": "", "ep_b": `{"n":[{"numeric":[">",5]}]}`, "ep_c": `{"n":[1]}`} {
		e := sound()
		e.ID, e.EventTypes, e.Filter = id, []string{"invoice.*"}, jsontext.Value(filter)
		r, err := e.Check()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	got := map[string]bool{}
	for _, id := range Matching(all, "invoice.paid", []byte(`{"n":6}`)) {
		got[id] = true
	}
	if len(got) != 2 || !got["ep_a"] || !got["ep_b"] {
		t.Error(got)
	}
	if ids := Matching(all, "user", []byte(`{"n":6}`)); ids != nil {
		t.Error(ids)
	}
}

func FuzzFilter(f *testing.F) {
	for _, seed := range []string{`{"a":["x",1,null,true]}`, `{"a":{"b":[{"exists":false}]}}`, `{"a":[{"numeric":[">",0,"<=",5]}]}`,
		`{"a":[{"anything-but":{"prefix":["a"]}}]}`} {
		f.Add([]byte(seed), []byte(`{"a":[{"b":1},["x",2]]}`))
	}
	f.Fuzz(func(t *testing.T, filter, body []byte) {
		parsed, err := ParseFilter(filter)
		if err != nil {
			return
		}
		matches := parsed.Matches(body)
		if again, err := ParseFilter(filter); err != nil || again.Matches(body) != matches {
			t.Errorf("%s on %s: first %v", filter, body, matches)
		}
	})
}

func BenchmarkMatching(b *testing.B) {
	var all []*Ready
	for range 20 {
		e := sound()
		e.EventTypes, e.Filter = []string{"*"}, jsontext.Value(`{"status":["paid"],"amount":[{"numeric":[">",100]}]}`)
		r, err := e.Check()
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, r)
	}
	body := []byte(`{"id":"in_1","status":"paid","amount":123.45,"lines":[` + strings.Repeat(`{"sku":"a-1","n":3},`, 40) + `{"sku":"b"}]}`)
	for b.Loop() {
		if len(Matching(all, "invoice.paid", body)) != 20 {
			b.Fatal("not all match")
		}
	}
}
