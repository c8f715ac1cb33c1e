package directory

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/recipient"
)

// keep keeps a recipient.
func (w *world) keep(tenant, id, body string) recipient.Recipient {
	w.t.Helper()
	return get[recipient.Recipient](w, "PUT "+tenants+tenant+"/recipients/"+id, body)
}

// TestLifeOfARecipient: what each act answers, and what the ledger is told of it, which
// is neither an address nor an id.
func TestLifeOfARecipient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const at = tenants + "acme/recipients/user_7"
	made := w.ask("PUT "+at, `{"addresses":{"email":["ann@acme.test"],"sms":"+46701234567"},"topics":{"a.*":{"opted_out":true}}}`)
	if made.Code != http.StatusCreated || made.Header().Get("ETag") != `"1"` || made.Header().Get("Location") != at {
		t.Fatalf("%d %v %s", made.Code, made.Header(), made.Body)
	}
	r := get[recipient.Recipient](w, "GET "+at, "")
	if r.Key() != (recipient.Key{Tenant: "acme", ID: "user_7"}) || r.Addresses["email"][0] != "ann@acme.test" || !r.Topics["a.*"].OptedOut {
		t.Errorf("kept is %+v", r)
	}
	if same := w.ask("PUT "+at, made.Body.String()); same.Code != http.StatusOK || same.Header().Get("ETag") != `"1"` {
		t.Errorf("what was read is sent back: %d %s", same.Code, same.Body)
	}
	patched := get[recipient.Recipient](w, "PATCH "+at, `{"addresses":{"sms":null},"topics":{"a.b":{}}}`, `If-Match: "1"`)
	if patched.Version != 2 || len(patched.Addresses) != 1 || len(patched.Topics) != 2 || !patched.Created.Equal(r.Created) ||
		!patched.Updated.After(r.Updated) {
		t.Errorf("patched is %+v", patched)
	}
	if r = w.keep("acme", "user_7", `{"channels":["slack"]}`); r.Version != 3 || r.Addresses != nil || !r.Created.Equal(patched.Created) {
		t.Errorf("replaced is %+v", r)
	}
	get[struct{}](w, "DELETE "+at, "", `If-Match: "3"`)
	for _, request := range []string{"GET ", "DELETE ", "PATCH "} {
		if out := w.ask(request+at, "{}"); out.Code != http.StatusNotFound {
			t.Errorf("%s of who was removed: %d %s", request, out.Code, out.Body)
		}
	}
	if got := w.actions(); got != "recipient.put recipient.updated recipient.put recipient.removed" {
		t.Errorf("the ledger was told %s", got)
	}
	for _, told := range w.entries {
		if text := fmt.Sprint(told); strings.Contains(text, "ann@") || strings.Contains(text, "user_7") || told.Actor != "arn:ann" ||
			told.Tenant != "acme" || !strings.HasPrefix(told.Resource, "recipient=hmac:") {
			t.Errorf("the ledger was told %s", text)
		}
	}
}

// TestRecipientsThatAreRefused: nothing of it is kept, and no answer has an address in it.
func TestRecipientsThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.keep("acme", "user_7", `{"channels":["email"]}`)
	before := len(w.entries)
	for _, c := range []struct {
		request, body string
		header        string
		status        int
		says          string
	}{
		{"PUT user_7", ``, "", 400, "empty"},
		{"PUT user_7", `[]`, "", 400, "JSON object"},
		{"PUT user_7", `{`, "", 400, "can't be used"},
		{"PUT user_7", `{"addresses":{"email":"bob(at)acme.test"}}`, "", 400, `field \"addresses\": email must be one email`},
		{"PUT user_7", `{"color":"red"}`, "", 400, `field \"color\": is unknown`},
		{"PUT user_7", `{"id":"user_8"}`, "", 400, `field \"id\"`},
		{"PUT user_7", `{"tenant":"beta"}`, "", 400, `field \"tenant\"`},
		{"PUT user_7", `{"version":2}`, "", 412, "changed meanwhile"},
		{"PUT user_7", `{}`, `If-Match: "2"`, 412, "changed meanwhile"},
		{"PUT user_8", `{}`, `If-Match: *`, 412, "there is none"},
		{"PUT user_8", `{"version":1}`, ``, 412, "changed meanwhile"},
		{"PUT a!b", `{}`, "", 404, "recipient's id"},
		{"PUT " + strings.Repeat("a", 129), `{}`, "", 404, "recipient's id"},
		{"PUT user%5F8", `{}`, "", 404, "encoded"},
		{"PATCH user_7", `{"version":2}`, "", 412, "changed meanwhile"},
		{"PATCH user_7", `{"id":"user_8"}`, "", 400, `field \"id\": can't be changed`},
		{"PATCH user_7", `{"topics":{"*a":{"opted_out":true}}}`, "", 400, `field \"topics\"`},
		{"PATCH user_7", `{}`, `If-Match: W/"1"`, 412, "changed meanwhile"},
		{"PATCH user_8", `{}`, "", 404, "has no recipient user_8"},
		{"DELETE user_7", ``, `If-Match: "9"`, 412, "changed meanwhile"},
	} {
		method, id, _ := strings.Cut(c.request, " ")
		header := "X: y"
		if c.header != "" {
			header = c.header
		}
		out := w.ask(method+" "+tenants+"acme/recipients/"+id, c.body, header)
		if out.Code != c.status || !strings.Contains(out.Body.String(), c.says) || strings.Contains(out.Body.String(), "bob") {
			t.Errorf("%s %s: %d %s", c.request, c.body, out.Code, out.Body)
		}
	}
	if page := get[Recipients](w, "GET "+tenants+"acme/recipients", ""); len(page.Items) != 1 || page.Items[0].Version != 1 {
		t.Errorf("kept is %+v", page)
	}
	if len(w.entries) != before {
		t.Errorf("the ledger was told %s", w.actions())
	}
}

func TestListOfRecipients(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const at = tenants + "-/recipients"
	for _, id := range []string{"c", "a", "b"} {
		w.keep("-", id, "{}")
	}
	w.keep("acme", "z", "{}")
	var got []string
	cursor := ""
	for range 2 {
		page := get[Recipients](w, "GET "+at+"?limit=2&cursor="+cursor, "")
		for _, r := range page.Items {
			if got = append(got, r.ID); r.Tenant != "" {
				t.Errorf("it is of %q", r.Tenant)
			}
		}
		cursor = page.Cursor
	}
	if !slices.Equal(got, []string{"a", "b", "c"}) || cursor != "" {
		t.Errorf("listed are %v, and then %q", got, cursor)
	}
	for _, query := range []string{"limit=0", "limit=x", "cursor=x", "cursor=ImEvYiI", "topic=a"} {
		if out := w.ask("GET "+at+"?"+query, ""); out.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", query, out.Code, out.Body)
		}
	}
}

// TestRecipientFaults: what fails says so, without its cause; what failed but was kept is
// found when it is asked for again.
func TestRecipientFaults(t *testing.T) {
	t.Parallel()
	const at = tenants + "acme/recipients/user_7"
	for _, c := range []struct {
		call, request, body string
		again, persisted    int
	}{
		{"look", "GET " + at, "", 200, 200},
		{"look", "PUT " + at, "{}", 200, 200},
		{"put", "PUT " + at, "{}", 200, 200},
		{"put", "PATCH " + at, `{"channels":["sms"]}`, 200, 200},
		{"look", "DELETE " + at, "", 204, 204},
		{"delete", "DELETE " + at, "", 204, 404},
	} {
		for _, persists := range []bool{false, true} {
			w := newWorld(t)
			w.keep("acme", "user_7", `{"channels":["email"]}`)
			w.fault = func(call string) (before, after error) {
				switch {
				case call != c.call:
					return nil, nil
				case persists:
					return nil, errFault
				}
				return errFault, nil
			}
			if out := w.ask(c.request, c.body); out.Code != 503 || strings.Contains(out.Body.String(), "secret") {
				t.Errorf("%s: %d %s", c.request, out.Code, out.Body)
			}
			w.fault = nil
			want := c.again
			if persists {
				want = c.persisted
			}
			if out := w.ask(c.request, c.body); out.Code != want {
				t.Errorf("%s again: %d %s", c.request, out.Code, out.Body)
			}
		}
	}
	w := newWorld(t)
	if w.auditFails = true; w.ask("PUT "+at, "{}").Code != 503 || w.ask("GET "+at, "").Code != 404 {
		t.Error("what the ledger was not told was done")
	}
}

// TestChangesAtOnce: a change is made of what another has made meanwhile, but not where
// it says of which version it is.
func TestChangesAtOnce(t *testing.T) {
	t.Parallel()
	const at = tenants + "acme/recipients/user_7"
	for header, status := range map[string]int{"X: y": 200, `If-Match: "1"`: 412} {
		w := newWorld(t)
		w.keep("acme", "user_7", `{"channels":["email"]}`)
		other := false
		w.fault = func(call string) (before, after error) {
			if call == "put" && !other {
				other = true
				w.ask("PATCH "+at, `{"addresses":{"slack":"U1"}}`)
			}
			return nil, nil
		}
		out := w.ask("PATCH "+at, `{"topics":{"a":{"opted_out":true}}}`, header)
		r := get[recipient.Recipient](w, "GET "+at, "")
		if out.Code != status || r.Addresses["slack"] == nil || r.Topics["a"].OptedOut != (status == 200) {
			t.Errorf("%s: %d %s, and kept is %+v", header, out.Code, out.Body, r)
		}
	}
}

// TestMadeAgain: what was asked of who was removed is not done to who is made under their
// id, by whichever of the ways to say a version.
func TestMadeAgain(t *testing.T) {
	t.Parallel()
	const at = tenants + "acme/recipients/user_7"
	for range 20 {
		w := newWorld(t)
		w.handler.firstVersion = recipient.FirstVersion
		old := w.keep("acme", "user_7", `{"channels":["email"]}`)
		get[struct{}](w, "DELETE "+at, "")
		now := w.keep("acme", "user_7", `{"channels":["sms"]}`)
		tag := fmt.Sprintf(`If-Match: "%d"`, old.Version)
		for _, c := range [][3]string{
			{"PUT ", `{}`, tag}, {"PATCH ", `{"channels":["slack"]}`, tag}, {"DELETE ", "", tag},
			{"PUT ", fmt.Sprintf(`{"version":%d}`, old.Version), "X: y"}, {"PATCH ", fmt.Sprintf(`{"version":%d}`, old.Version), "X: y"},
		} {
			if out := w.ask(c[0]+at, c[1], c[2]); out.Code != http.StatusPreconditionFailed {
				t.Errorf("%s%s %s: %d %s", c[0], c[1], c[2], out.Code, out.Body)
			}
		}
		if kept := get[recipient.Recipient](w, "GET "+at, ""); kept.Version != now.Version || kept.Version < 1 || kept.Version >= 1<<52 {
			t.Errorf("kept is %+v", kept)
		}
	}
}
