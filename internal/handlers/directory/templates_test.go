package directory

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/efferent/efferent/internal/template"
)

const acme = tenants + "acme/templates"

// put keeps a version with a body.
func (w *world) put(path, body string, headers ...string) Template {
	w.t.Helper()
	return get[Template](w, "PUT "+path, fmt.Sprintf(`{"parts":{"body":%q}}`, body), headers...)
}

// version asks for what is current under a path.
func (w *world) version(path string) string {
	w.t.Helper()
	got := get[Template](w, "GET "+path, "")
	return fmt.Sprintf("%d of %d: %s", got.Version, len(got.Versions), got.Parts[template.Body])
}

func TestTemplateVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path = acme + "/invoice-paid"
	if out := w.ask("GET "+path, ""); out.Code != 404 {
		t.Errorf("%d %s", out.Code, out.Body)
	}
	out := w.ask("PUT "+path, `{"parts":{"body":"one"}}`)
	if out.Code != 201 || out.Header().Get("ETag") != `"1"` || out.Header().Get("Location") != path+"/versions/1" {
		t.Errorf("%d %v %s", out.Code, out.Header(), out.Body)
	}
	if again := w.ask("PUT "+path, `{"parts":{"body":"one"}}`); again.Code != 200 || again.Header().Get("ETag") != `"1"` {
		t.Errorf("the same again: %d %v", again.Code, again.Header())
	}
	w.put(path, "two", `If-Match: "1"`)
	if late := w.ask("PUT "+path, `{"parts":{"body":"late"}}`, `If-Match: "1"`); late.Code != 412 {
		t.Errorf("%d %s", late.Code, late.Body)
	}
	for path, want := range map[string]string{path: "2 of 2: two", path + "/versions/1": "1 of 2: one", path + "/versions/2": "2 of 2: two"} {
		if got := w.version(path); got != want {
			t.Errorf("%s: %s", path, got)
		}
	}
	back := get[Template](w, "POST "+path+"/use", `{"version":1}`)
	if back.Current != 1 || back.Parts[template.Body] != "one" || w.version(path) != "1 of 2: one" {
		t.Errorf("%+v", back)
	}
	if third := w.put(path, "three"); third.Version != 3 || third.Current != 3 {
		t.Errorf("%+v", third)
	}
	for request, status := range map[string]int{
		"GET " + path + "/versions/4": 404, "GET " + path + "/versions/01": 404, "GET " + path + "/versions/x": 404, "GET " + acme + "/.x": 404,
		"DELETE " + path + "/versions/3": 409, "DELETE " + path + "/versions/9": 404,
	} {
		if out := w.ask(request, ""); out.Code != status {
			t.Errorf("%s: %d %s", request, out.Code, out.Body)
		}
	}
	if out := w.ask("POST "+path+"/use", `{"version":9}`); out.Code != 404 {
		t.Errorf("%d %s", out.Code, out.Body)
	}
	const told = "template.put template.put template.used template.put"
	if got := w.actions(); got != told {
		t.Errorf("the ledger was told %s", got)
	}
	if e := w.entries[2]; e.Resource != "template=invoice-paid@1" || e.Tenant != "acme" || e.Actor != "arn:ann" {
		t.Errorf("%+v", e)
	}
}

func TestTemplatesAreDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path = acme + "/a"
	w.put(path, "one")
	w.put(path, "two")
	w.put(path, "three")
	get[any](w, "DELETE "+path+"/versions/1", "")
	if got := w.version(path); got != "3 of 2: three" {
		t.Error(got)
	}
	get[any](w, "DELETE "+path, "")
	for _, request := range []string{"GET " + path, "GET " + path + "/versions/2", "DELETE " + path, "POST " + path + "/preview"} {
		if out := w.ask(request, ""); out.Code != 404 {
			t.Errorf("%s: %d %s", request, out.Code, out.Body)
		}
	}
	if all := get[Templates](w, "GET "+acme, ""); len(all.Items) != 0 {
		t.Errorf("%+v", all)
	}
	// Its numbers go on: what was pinned is never something else.
	if again := w.put(path, "anew"); again.Version != 4 || w.version(path) != "4 of 1: anew" {
		t.Errorf("%+v", again)
	}
}

func TestTemplatesAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"b", "a", "c"} {
		w.put(acme+"/"+name, "x")
	}
	w.put(tenants+"-/templates/everybodys", "x")
	var names []string
	for cursor, round := "", 0; round < 5; round++ {
		page := get[Templates](w, "GET "+acme+"?limit=2"+cursor, "")
		for _, h := range page.Items {
			names = append(names, h.Name)
		}
		if cursor = "&cursor=" + page.Cursor; page.Cursor == "" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "a b c" {
		t.Error(got)
	}
	if all := get[Templates](w, "GET "+tenants+"-/templates", ""); len(all.Items) != 1 || all.Items[0].Tenant != "-" {
		t.Errorf("%+v", all)
	}
	if out := w.ask("GET "+acme+"?cursor=x", ""); out.Code != 400 {
		t.Errorf("%d %s", out.Code, out.Body)
	}
}

func TestTemplatesThatAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for body, want := range map[string]string{
		`{"parts":{"body":"a\n{{.x"}}`:           "template a: body, line 2: unclosed action",
		`{"parts":{"body":"{{exec \"ls\"}}"}}`:   `body, line 1: function \"exec\" not defined`,
		`{"parts":{"subject":"x"}}`:              "it must have body or html",
		`{"parts":{"body":"x","nosuch":"x"}}`:    "there is no part",
		`{"parts":{}}`:                           "it must have body or html",
		`{"parts":{"body":"x"},"name":"other"}`:  "name",
		`{"parts":{"body":"x","html":"<a {{."}}`: "html, line 1",
		``:                                       "the body is empty",
	} {
		if out := w.ask("PUT "+acme+"/a", body); out.Code != 400 || !strings.Contains(out.Body.String(), want) {
			t.Errorf("%s: %d %s", body, out.Code, out.Body)
		}
	}
	w.auditFails = true
	if out := w.ask("PUT "+acme+"/a", `{"parts":{"body":"x"}}`); out.Code != 503 {
		t.Errorf("%d %s", out.Code, out.Body)
	}
	if out := w.ask("GET "+acme+"/a", ""); out.Code != 404 {
		t.Error("it was kept, and nobody told")
	}
}

func TestMostVersions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for n := range template.MaxVersions {
		w.put(acme+"/a", fmt.Sprint(n))
	}
	if out := w.ask("PUT "+acme+"/a", `{"parts":{"body":"more"}}`); out.Code != 409 {
		t.Errorf("%d %s", out.Code, out.Body)
	}
	get[any](w, "DELETE "+acme+"/a/versions/1", "")
	w.put(acme+"/a", "more")
}

func TestPreview(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const path = acme + "/a"
	w.put(path, "Hi {{.name}}")
	w.put(path, "Hello {{.name}}")
	for _, test := range []struct{ path, body, want string }{
		{path + "/preview", `{"data":{"name":"Ann"},"channels":["slack"]}`, `{"items":[{"channel":"slack","body":"Hello Ann"}]}`},
		{path + "/versions/1/preview", `{"data":{"name":"Ann"},"channels":["sms"]}`,
			`{"items":[{"channel":"sms","body":"Hi Ann","segments":1}]}`},
		{path + "/preview", `{"channels":["sms"]}`,
			`{"items":[{"channel":"sms","error":"template a@2: body, line 1: the field .name is missing in the data"}]}`},
		{acme + "/new/preview", `{"data":{"n":1e6},"channels":["teams"],"parts":{"body":"{{.n}}"}}`,
			`{"items":[{"channel":"teams","body":"1e6"}]}`},
	} {
		if out := w.ask("POST "+test.path, test.body); out.Code != 200 || strings.TrimSpace(out.Body.String()) != test.want {
			t.Errorf("%s: %d %s", test.body, out.Code, out.Body)
		}
	}
	if all := get[Preview](w, "POST "+path+"/preview", `{"data":{"name":"Ann"}}`); len(all.Items) != 6 {
		t.Errorf("%+v", all)
	}
	for _, test := range []struct{ path, body string }{
		{path + "/preview", `{"data":[]}`}, {path + "/preview", `{"channels":["fax"]}`}, {path + "/preview", `{"parts":{"body":"{{"}}`},
		{path + "/versions/1/preview", `{"parts":{"body":"x"}}`},
	} {
		if out := w.ask("POST "+test.path, test.body); out.Code != 400 {
			t.Errorf("%s: %d %s", test.body, out.Code, out.Body)
		}
	}
	if got := w.actions(); got != "template.put template.put" {
		t.Error(got)
	}
}

// TestNoMoreTemplates: one more is refused, and the ledger told of nothing; more versions
// of one are not, nor one in the place of another, nor another tenant's.
func TestNoMoreTemplates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, name := range []string{"a", "b", "c", "c"} {
		w.put(acme+"/"+name, "one "+fmt.Sprint(len(w.entries)))
	}
	told := len(w.entries)
	out := w.ask("PUT "+acme+"/d", `{"parts":{"body":"one"}}`)
	if out.Code != 409 || !strings.Contains(out.Body.String(), "3 templates") || len(w.entries) != told {
		t.Errorf("%d %s, told %s", out.Code, out.Body, w.actions())
	}
	w.put(tenants+"beta/templates/d", "one")
	get[struct{}](w, "DELETE "+acme+"/b", "")
	if w.put(acme+"/d", "one"); w.ask("PUT "+acme+"/b", `{"parts":{"body":"two"}}`).Code != 409 {
		t.Error("one that was deleted is made again beside as many as there may be")
	}
	get[struct{}](w, "DELETE "+acme+"/a", "")
	var all sync.WaitGroup
	var made atomic.Int32
	for n := range 4 {
		all.Go(func() {
			if w.ask(fmt.Sprintf("PUT %s/at-once-%d", acme, n), `{"parts":{"body":"one"}}`).Code == 201 {
				made.Add(1)
			}
		})
	}
	if all.Wait(); made.Load() != 1 {
		t.Errorf("%d were made at once, where there was room for one", made.Load())
	}
}
