package directory

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/suppression"
)

func (w *world) add(tenant, address string) suppression.Entry {
	w.t.Helper()
	return get[suppression.Entry](w, "POST "+tenants+tenant+"/suppressions", `{"channel":"email","address":"`+address+`"}`)
}

// TestLifeOfASuppression: what each act answers, and what the ledger is told of it,
// which is no address and nothing that can be guessed.
func TestLifeOfASuppression(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const at = tenants + "acme/suppressions"
	out := w.ask("POST "+at, `{"channel":"email","address":"Ann@Acme.test","note":"by phone"}`)
	e := w.add("acme", "ann@ACME.test")
	if out.Code != 201 || out.Header().Get("Location") != at+"/"+e.ID || e.Address != "ann@acme.test" || e.Reason != suppression.ByHand ||
		e.Note != "by phone" || e.Since.IsZero() {
		t.Errorf("%d %v: %+v", out.Code, out.Header(), e)
	}
	if shown := get[suppression.Entry](w, "GET "+at+"/"+e.ID, ""); shown != e {
		t.Errorf("shown is %+v", shown)
	}
	found := get[Suppressions](w, "GET "+at+"?channel=email&address=ANN%40acme.test", "")
	if len(found.Items) != 1 || found.Items[0] != e {
		t.Errorf("found is %+v", found)
	}
	get[struct{}](w, "DELETE "+at+"/"+e.ID, "")
	if gone := w.ask("GET "+at+"/"+e.ID, ""); gone.Code != 404 {
		t.Errorf("removed: %d %s", gone.Code, gone.Body)
	}
	if again := w.ask("DELETE "+at+"/"+e.ID, ""); again.Code != 404 {
		t.Errorf("removed again: %d %s", again.Code, again.Body)
	}
	if got := w.actions(); got != "suppression.added suppression.added suppression.removed" {
		t.Errorf("the ledger was told %s", got)
	}
	for _, told := range w.entries {
		if text := fmt.Sprint(told); strings.Contains(text, "ann@") || strings.Contains(text, e.ID[len("email-"):]) ||
			told.Actor != "arn:ann" || told.Tenant != "acme" || !strings.Contains(told.Resource, "channel=email, recipient=hmac:") {
			t.Errorf("the ledger was told %s", text)
		}
	}
}

// TestWhatIsRefused: nothing of it is kept, and no answer has the address in it.
func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const at = tenants + "acme/suppressions"
	for body, says := range map[string]string{
		``: "empty", `{}`: "channel", `[]`: "object", `{"channel":"email"}`: "address",
		`{"channel":"fax","address":"secret@acme.test"}`:                                             "channel",
		`{"channel":"email","address":"Secret <secret@acme.test>"}`:                                  "address",
		`{"channel":"sms","address":"secret"}`:                                                       "address",
		`{"channel":"email","address":"secret@acme.test","reason":"spite"}`:                          "reason",
		`{"channel":"email","address":"secret@acme.test","since":"2036-01-01T00:00:00Z"}`:            "since",
		`{"channel":"email","address":"secret@acme.test","since":"yesterday"}`:                       "since",
		`{"channel":"email","address":"secret@acme.test","note":"` + strings.Repeat("n", 513) + `"}`: "note",
		`{"channel":"email","address":"secret@acme.test","note":"a\nb"}`:                             "note",
		`{"channel":"email","address":"secret@acme.test","source":"a\nb"}`:                           "source",
		`{"channel":"email","address":"secret@acme.test","source":""}`:                               "source",
		`{"channel":"email","address":"secret@acme.test","note":null}`:                               "note",
		`{"channel":"email","address":"secret@acme.test","tenant":"beta"}`:                           "tenant",
	} {
		for path, wrapped := range map[string]string{at: body, at + "/import": `{"items":[` + body + `]}`} {
			out := w.ask("POST "+path, wrapped)
			if out.Code != 400 || path == at && !strings.Contains(out.Body.String(), says) || strings.Contains(out.Body.String(), "secret@") {
				t.Errorf("%s %s: %d %s", path, wrapped, out.Code, out.Body)
			}
		}
	}
	for query, says := range map[string]string{
		"?channel=fax": "channel", "?reason=spite": "reason", "?address=ann%40acme.test": "channel", "?cursor=x": "cursor", "?limit=0": "limit",
		"?channel=sms&cursor=ImVtYWlsLTAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmIg": "cursor",
	} {
		if out := w.ask("GET "+at+query, ""); out.Code != 400 || !strings.Contains(out.Body.String(), says) {
			t.Errorf("%s: %d %s", query, out.Code, out.Body)
		}
	}
	if left := get[Suppressions](w, "GET "+at, ""); len(left.Items) != 0 || w.actions() != "" {
		t.Errorf("kept is %+v, told %s", left, w.actions())
	}
}

// TestManySuppressions: from another list, page by page.
func TestManySuppressions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const at = tenants + "-/suppressions"
	var items []string
	for n := range 60 {
		items = append(items, fmt.Sprintf(`{"channel":"email","address":"u%d@acme.test","reason":"bounce","since":"2026-01-02T03:04:05Z"}`, n),
			fmt.Sprintf(`{"channel":"sms","address":"+46 70 123 45 %02d"}`, n))
	}
	body := `{"items":[` + strings.Join(items, ",") + `]}`
	if made := get[Imported](w, "POST "+at+"/import", body); made != (Imported{Added: 120}) {
		t.Errorf("imported %+v", made)
	}
	if again := get[Imported](w, "POST "+at+"/import", body); again != (Imported{Stayed: 120}) {
		t.Errorf("imported again %+v", again)
	}
	seen, bounces := map[string]bool{}, 0
	for cursor := "first"; cursor != ""; {
		page := get[Suppressions](w, "GET "+at+"?limit=7&cursor="+strings.TrimPrefix(cursor, "first"), "")
		for _, e := range page.Items {
			if seen[e.ID] {
				t.Errorf("%s is there twice", e.ID)
			}
			if seen[e.ID] = true; e.Reason == suppression.Bounce && e.Since.Equal(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)) {
				bounces++
			}
		}
		cursor = page.Cursor
	}
	if len(seen) != 120 || bounces != 60 {
		t.Errorf("listed %d, of which %d bounced", len(seen), bounces)
	}
	if one := get[Suppressions](w, "GET "+at+"?channel=sms&reason=by_hand&limit=200", ""); len(one.Items) != 60 {
		t.Errorf("by hand are %d", len(one.Items))
	}
	if whole := strings.Count(w.actions(), "suppression.added"); whole != 240 {
		t.Errorf("the ledger was told of %d", whole)
	}
}

// TestImportedForWhom: for the path's tenant, and no other; at a name that is no
// tenant's nothing is.
func TestImportedForWhom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const one = `{"items":[{"channel":"email","address":"ann@acme.test"}]}`
	get[Imported](w, "POST "+tenants+"acme/suppressions/import", one)
	for tenant, want := range map[string]int{"acme": 1, "-": 0, "beta": 0} {
		if page := get[Suppressions](w, "GET "+tenants+tenant+"/suppressions", ""); len(page.Items) != want {
			t.Errorf("%s has %+v", tenant, page.Items)
		}
	}
	for _, name := range []string{"a%20b", "-a", "--", "a%2Fb", "%C3%A5", strings.Repeat("a", 101)} {
		if out := w.ask("POST "+tenants+name+"/suppressions/import", one); out.Code != 404 {
			t.Errorf("%.20s: %d %s", name, out.Code, out.Body)
		}
	}
}

// TestWhatWasTakenFromTheList: an older report changes nothing, and says so; by hand it
// can be put back.
func TestWhatWasTakenFromTheList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const at = tenants + "acme/suppressions"
	e := w.add("acme", "ann@acme.test")
	get[struct{}](w, "DELETE "+at+"/"+e.ID, "")
	late := w.ask("POST "+at, `{"channel":"email","address":"ann@acme.test","reason":"bounce","since":"2026-11-26T07:00:00Z"}`)
	if late.Code != 409 || !strings.Contains(late.Body.String(), "leave out since") {
		t.Errorf("an older report: %d %s", late.Code, late.Body)
	}
	if back := w.ask("POST "+at, `{"channel":"email","address":"ann@acme.test"}`); back.Code != 201 {
		t.Errorf("by hand: %d %s", back.Code, back.Body)
	}
}

// TestFaultsOfSuppressions: what fails can be done again, whether it was done or not,
// and tells nothing of why.
func TestFaultsOfSuppressions(t *testing.T) {
	t.Parallel()
	const at = tenants + "acme/suppressions"
	for name, c := range map[string]struct {
		request, body, call string
		again               int
	}{
		"add":    {"POST " + at, `{"channel":"email","address":"bob@acme.test"}`, "add", 201},
		"import": {"POST " + at + "/import", `{"items":[{"channel":"email","address":"bob@acme.test"}]}`, "add", 200},
		"lift":   {"DELETE " + at + "/", "", "lift", 204},
		"look":   {"GET " + at + "/", "", "look", 200},
		"audit":  {"DELETE " + at + "/", "", "audit", 204},
	} {
		for _, persists := range []bool{false, true} {
			w := newWorld(t)
			request := c.request
			if id := w.add("acme", "ann@acme.test").ID; strings.HasSuffix(request, "/") {
				request += id
			}
			w.auditFails = c.call == "audit"
			w.fault = func(call string) (before, after error) {
				switch {
				case call != c.call:
					return nil, nil
				case persists:
					return nil, errFault
				}
				return errFault, nil
			}
			if out := w.ask(request, c.body); out.Code != 503 || strings.Contains(out.Body.String(), "secret detail") {
				t.Errorf("%s, persists %v: %d %s", name, persists, out.Code, out.Body)
			}
			w.auditFails, w.fault = false, nil
			want := map[string]int{"lifttrue": 404, "addtrue": 200}[fmt.Sprint(c.call, persists)]
			if out := w.ask(request, c.body); out.Code != want && out.Code != c.again {
				t.Errorf("%s, persists %v, again: %d %s", name, persists, out.Code, out.Body)
			}
		}
	}
}
