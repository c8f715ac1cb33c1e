package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/template"
)

// TestTemplates runs the suite of what template.Store promises. The store may be shared
// by all of its tests: each has a tenant of its own.
func TestTemplates(t *testing.T, store template.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, templatesOf){
		"nothing is there at first": templatesNone,
		"every field comes back":    templatesFields,
		"version by version":        templatesVersions,
		"one of many at once":       templatesAtOnce,
		"deleted, and put again":    templatesDeleted,
		"tenants apart":             templatesApart,
		"page by page":              templatesPages,
		"as large as may be":        templatesLarge,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, templatesOf{store, uuid.NewString()})
		})
	}
}

// templatesOf is the store as one test sees it.
type templatesOf struct {
	template.Store
	tenant string
}

func (s templatesOf) version(name string, n int64) template.Template {
	return template.Template{Tenant: s.tenant, Name: name, Version: n, Created: storedAt.Add(time.Duration(n)),
		Parts: map[template.Part]string{template.Subject: fmt.Sprintf("Version %d of {{.name}}", n), template.HTML: "<p>{{.name}}\n"}}
}

// put writes a version, current, as the next one after a head.
func (s templatesOf) put(t *testing.T, h template.Head, name string) (template.Head, template.Template) {
	t.Helper()
	h, v := s.next(h, name)
	if err := s.WriteTemplate(t.Context(), h, &v); err != nil {
		t.Fatal(err)
	}
	return h, v
}

func (s templatesOf) next(h template.Head, name string) (template.Head, template.Template) {
	v := s.version(name, h.Last+1)
	h.Tenant, h.Name, h.Current, h.Last, h.Revision, h.Updated = s.tenant, name, v.Version, v.Version, h.Revision+1, v.Created
	h.Versions = append(append([]template.Kept{}, h.Versions...), template.Kept{Version: v.Version, Created: v.Created})
	return h, v
}

func (s templatesOf) wantHead(t *testing.T, want template.Head) {
	t.Helper()
	got, err := s.TemplateHead(t.Context(), s.tenant, want.Name)
	if diff := gocmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
}

func (s templatesOf) want(t *testing.T, want template.Template) {
	t.Helper()
	got, err := s.Template(t.Context(), s.tenant, want.Name, want.Version)
	if diff := gocmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
}

func (s templatesOf) wantNone(t *testing.T, name string, version int64) {
	t.Helper()
	if got, err := s.Template(t.Context(), s.tenant, name, version); !errors.Is(err, template.ErrNotFound) {
		t.Fatalf("%+v, %v", got, err)
	}
}

func templatesNone(t *testing.T, s templatesOf) {
	s.wantNone(t, "a", 1)
	if h, err := s.TemplateHead(t.Context(), s.tenant, "a"); !errors.Is(err, template.ErrNotFound) {
		t.Error(h, err)
	}
	if all, more, err := s.TemplateHeads(t.Context(), s.tenant, "", 10); len(all) != 0 || more || err != nil {
		t.Error(all, more, err)
	}
	if err := s.DropVersions(t.Context(), s.tenant, "a", []int64{1, 2}); err != nil {
		t.Error(err)
	}
	if err := s.DropVersions(t.Context(), s.tenant, "a", nil); err != nil {
		t.Error(err)
	}
}

func templatesFields(t *testing.T, s templatesOf) {
	h, v := s.put(t, template.Head{}, "invoice-paid")
	s.wantHead(t, h)
	s.want(t, v)
}

func templatesVersions(t *testing.T, s templatesOf) {
	h1, v1 := s.put(t, template.Head{}, "a")
	h2, v2 := s.put(t, h1, "a")
	s.wantHead(t, h2)
	s.want(t, v1)
	s.want(t, v2)
	stale, late := s.next(h1, "a")
	late.Parts = map[template.Part]string{template.Body: "late"}
	first, again := s.next(template.Head{}, "a")
	for what, err := range map[string]error{
		"one that was overtaken": s.WriteTemplate(t.Context(), stale, &late), "its head alone": s.WriteTemplate(t.Context(), stale, nil),
		"the same again": s.WriteTemplate(t.Context(), h2, &v2), "a first one": s.WriteTemplate(t.Context(), first, &again),
	} {
		if !errors.Is(err, template.ErrChanged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	s.wantHead(t, h2)
	s.want(t, v2)
	back := h2
	back.Current, back.Revision = 1, h2.Revision+1
	if err := s.WriteTemplate(t.Context(), back, nil); err != nil {
		t.Fatal(err)
	}
	s.wantHead(t, back)
	s.want(t, v2)
}

func templatesAtOnce(t *testing.T, s templatesOf) {
	h, _ := s.put(t, template.Head{}, "a")
	var all sync.WaitGroup
	var mu sync.Mutex
	var made []template.Template
	for n := range 8 {
		next, v := s.next(h, "a")
		v.Parts = map[template.Part]string{template.Body: fmt.Sprint(n)}
		all.Go(func() {
			switch err := s.WriteTemplate(t.Context(), next, &v); {
			case err == nil:
				mu.Lock()
				defer mu.Unlock()
				made = append(made, v)
			case !errors.Is(err, template.ErrChanged):
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(made) != 1 {
		t.Fatalf("%d were written", len(made))
	}
	s.want(t, made[0])
}

func templatesDeleted(t *testing.T, s templatesOf) {
	h, _ := s.put(t, template.Head{}, "a")
	h, _ = s.put(t, h, "a")
	other, kept := s.put(t, template.Head{}, "ab")
	h.Current, h.Versions, h.Revision = 0, nil, h.Revision+1
	if err := s.WriteTemplate(t.Context(), h, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.DropVersions(t.Context(), s.tenant, "a", []int64{1, 2}); err != nil {
		t.Fatal(err)
	}
	s.wantHead(t, h)
	s.wantNone(t, "a", 1)
	s.wantNone(t, "a", 2)
	s.want(t, kept)
	if all, _, err := s.TemplateHeads(t.Context(), s.tenant, "", 10); err != nil || len(all) != 1 || all[0].Name != other.Name {
		t.Errorf("%+v, %v", all, err)
	}
	first, again := s.next(template.Head{}, "a") // or what was asked of the one before would be done to it
	if err := s.WriteTemplate(t.Context(), first, &again); !errors.Is(err, template.ErrChanged) {
		t.Errorf("its revisions begin anew: %v", err)
	}
	h, v := s.put(t, h, "a")
	if v.Version != 3 {
		t.Error("a number is used twice")
	}
	s.wantHead(t, h)
}

func templatesApart(t *testing.T, s templatesOf) {
	h, v := s.put(t, template.Head{}, "a")
	other := templatesOf{s.Store, s.tenant + "b"} // which begins alike
	other.wantNone(t, "a", 1)
	mine, _ := other.put(t, template.Head{}, "a")
	mine, second := other.put(t, mine, "a")
	s.wantHead(t, h)
	s.want(t, v)
	s.wantNone(t, "a", 2)
	if err := s.DropVersions(t.Context(), s.tenant, "a", []int64{1, 2}); err != nil {
		t.Fatal(err)
	}
	other.wantHead(t, mine)
	other.want(t, second)
}

func templatesPages(t *testing.T, s templatesOf) {
	const many = 7
	for n := range many {
		h, _ := s.put(t, template.Head{}, fmt.Sprintf("t-%d", n))
		if n%3 == 1 {
			h.Current, h.Versions, h.Revision = 0, nil, 2
			if err := s.WriteTemplate(t.Context(), h, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	var names []string
	for after, more, round := "", true, 0; more; round++ {
		var page []template.Head
		var err error
		if page, more, err = s.TemplateHeads(t.Context(), s.tenant, after, 2); err != nil || len(page) > 2 || round > many {
			t.Fatal(page, err, round)
		}
		for _, h := range page {
			names, after = append(names, h.Name), h.Name
		}
	}
	if got := strings.Join(names, " "); got != "t-0 t-2 t-3 t-5 t-6" {
		t.Error(got)
	}
}

func templatesLarge(t *testing.T, s templatesOf) {
	h, v := s.next(template.Head{}, strings.Repeat("a", 64))
	v.Parts = map[template.Part]string{template.Body: strings.Repeat("\"", template.MaxSource)}
	for n := range int64(template.MaxVersions - 1) {
		h.Versions = append(h.Versions, template.Kept{Version: 999_999_000 + n, Created: storedAt.Add(123456789)})
	}
	if err := s.WriteTemplate(t.Context(), h, &v); err != nil {
		t.Fatal(err)
	}
	s.wantHead(t, h)
	s.want(t, v)
}
