package event

import "testing"

func TestRequestHash(t *testing.T) {
	t.Parallel()
	hash := func(body string) string {
		h, err := Event{"evt_1", "acme", "a", []byte(body)}.RequestHash()
		if err != nil {
			t.Fatal(body, err)
		}
		return h
	}
	const one = `{"a":1,"b":[1.50,"x"],"n":9007199254740993}`
	for _, same := range []string{` { "b" : [1.5,"\u0078"], "n":9007199254740993,"a":1}`} {
		if hash(same) != hash(one) {
			t.Errorf("%s is another request", same)
		}
	}
	for _, other := range []string{
		`{"a":1,"b":["x",1.5],"n":9007199254740993}`, `{"a":1,"b":[1.5,"x"],"n":9007199254740992}`,
		`{"a":"1","b":[1.5,"x"],"n":9007199254740993}`,
		`{"a":1,"b":[1.5,"X"],"n":9007199254740993}`, `{"b":[1.5,"x"],"n":9007199254740993}`,
	} {
		if hash(other) == hash(one) {
			t.Errorf("%s is the same request", other)
		}
	}
	e := Event{"evt_1", "acme", "a", []byte(one)}
	for _, change := range []func(*Event){func(e *Event) { e.ID = "" }, func(e *Event) { e.Tenant = "b" }, func(e *Event) { e.Type = "b" }} {
		other := e
		change(&other)
		if h, _ := other.RequestHash(); h == hash(one) {
			t.Errorf("%+v is the same request", other)
		}
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	e := Event{"evt_1", "acme", `Order "1" Placed`, []byte(`{"a": 1.0}`)}
	got, err := Decode(e.Text())
	if err != nil || got.ID != e.ID || got.Tenant != e.Tenant || got.Type != e.Type || string(got.Body) != string(e.Body) {
		t.Errorf("%s: %+v, %v", e.Text(), got, err)
	}
}
