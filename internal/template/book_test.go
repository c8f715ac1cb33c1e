package template_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/template"
)

var begun = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// counted counts what is read, and fails where it is told to.
type counted struct {
	*storetest.Memory
	heads, versions atomic.Int64
	fails           atomic.Bool
	failVersions    atomic.Bool
}

var errFault = errors.New("injected fault")

func (c *counted) TemplateHead(ctx context.Context, tenant, name string) (template.Head, error) {
	c.heads.Add(1)
	if c.fails.Load() {
		return template.Head{}, errFault
	}
	return c.Memory.TemplateHead(ctx, tenant, name)
}

func (c *counted) Template(ctx context.Context, tenant, name string, version int64) (template.Template, error) {
	c.versions.Add(1)
	if c.failVersions.Load() {
		return template.Template{}, errFault
	}
	return c.Memory.Template(ctx, tenant, name, version)
}

// book is a Book over a store of its own, with a clock.
type book struct {
	template.Book
	t     *testing.T
	store *counted
	now   time.Time
}

func newBook(t *testing.T) *book {
	b := &book{t: t, store: &counted{Memory: &storetest.Memory{}}, now: begun}
	b.Store, b.Now = b.store, func() time.Time { return b.now }
	return b
}

// put writes the next version, and makes it current.
func (b *book) put(tenant, name string) {
	b.t.Helper()
	h, err := b.store.Memory.TemplateHead(b.t.Context(), tenant, name)
	if err != nil && !errors.Is(err, template.ErrNotFound) {
		b.t.Fatal(err)
	}
	h.Tenant, h.Name, h.Last, h.Revision = tenant, name, h.Last+1, h.Revision+1
	h.Current, h.Versions = h.Last, append(h.Versions, template.Kept{Version: h.Last})
	v := template.Template{Tenant: tenant, Name: name, Version: h.Last}
	if err := b.store.WriteTemplate(b.t.Context(), h, &v); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) change(tenant, name string, how func(*template.Head)) {
	b.t.Helper()
	h, err := b.store.Memory.TemplateHead(b.t.Context(), tenant, name)
	how(&h)
	h.Revision++
	if err := errors.Join(err, b.store.WriteTemplate(b.t.Context(), h, nil)); err != nil {
		b.t.Fatal(err)
	}
}

// want asks for a template; what is "" is none.
func (b *book) want(tenant, name string, version int64, want string) {
	b.t.Helper()
	got, err := b.Of(b.t.Context(), tenant, name, version)
	switch {
	case want == "" && !errors.Is(err, template.ErrNotFound):
		b.t.Errorf("%s of %s: %v, %v", name, tenant, got, err)
	case want != "" && (err != nil || got.Tenant+"/"+got.Ref() != want):
		b.t.Errorf("%s of %s: %s/%s, %v; want %s", name, tenant, got.Tenant, got.Ref(), err, want)
	}
}

func TestWhoseTemplate(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.put("-", "a")
	b.put("-", "a")
	b.put("acme", "b")
	b.want("", "a", 0, "-/a@2")
	b.want("acme", "a", 0, "-/a@2")
	b.want("acme", "a", 1, "-/a@1")
	b.want("acme", "b", 0, "acme/b@1")
	b.want("other", "b", 0, "")
	b.want("", "b", 0, "")
	b.put("acme", "a")
	b.now = b.now.Add(template.FreshFor)
	b.want("acme", "a", 0, "acme/a@1")
	b.want("acme", "a", 2, "") // its own it is, whatever the default has
	b.want("other", "a", 0, "-/a@2")
	b.change("acme", "a", func(h *template.Head) { h.Current, h.Versions = 0, nil })
	b.now = b.now.Add(template.FreshFor)
	b.want("acme", "a", 0, "-/a@2")
	_, err := b.Of(t.Context(), "acme", "none", 0)
	if err == nil || !strings.Contains(err.Error(), `neither the tenant "acme" nor "-", for all tenants, has "none"`) {
		t.Error(err)
	}
}

func TestWhatIsReadHowOften(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.put("acme", "a")
	for range 5 {
		b.want("acme", "a", 0, "acme/a@1")
	}
	if b.store.heads.Load() != 1 || b.store.versions.Load() != 1 {
		t.Errorf("%d heads, %d versions", b.store.heads.Load(), b.store.versions.Load())
	}
	b.put("acme", "a")
	b.want("acme", "a", 0, "acme/a@1") // for less than a second
	b.want("acme", "a", 2, "acme/a@2") // what is said not to be there is looked for
	b.now = b.now.Add(template.FreshFor)
	b.want("acme", "a", 0, "acme/a@2")
	b.change("acme", "a", func(h *template.Head) { h.Current = 1 })
	b.now = b.now.Add(template.FreshFor)
	b.want("acme", "a", 0, "acme/a@1")
	if b.store.versions.Load() != 2 {
		t.Errorf("%d versions", b.store.versions.Load())
	}
	b.want("acme", "new", 0, "")
	b.put("acme", "new")
	b.want("acme", "new", 0, "acme/new@1")
}

func TestTroubleIsNotRemembered(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.put("acme", "a")
	b.store.fails.Store(true)
	if _, err := b.Of(t.Context(), "acme", "a", 0); !errors.Is(err, errFault) {
		t.Error(err)
	}
	b.store.fails.Store(false)
	b.want("acme", "a", 0, "acme/a@1")
}

// TestVersionsThatCantBeRead are asked for again.
func TestVersionsThatCantBeRead(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.put("acme", "a")
	b.store.failVersions.Store(true)
	if got, err := b.Of(t.Context(), "acme", "a", 0); !errors.Is(err, errFault) || got.Name != "" {
		t.Errorf("%+v, %v", got, err)
	}
	b.store.failVersions.Store(false)
	b.want("acme", "a", 0, "acme/a@1")
	b.want("acme", "a", 1, "acme/a@1")
	if n := b.store.versions.Load(); n != 2 {
		t.Errorf("%d reads of versions", n)
	}
}

// TestMostKnown: what is remembered is bounded, and all that is within it is.
func TestMostKnown(t *testing.T) {
	t.Parallel()
	const most = 200
	b := newBook(t)
	for n := range most {
		b.put("acme", "a"+strconv.Itoa(n))
	}
	round := func() (heads, versions int64) {
		heads, versions = b.store.heads.Load(), b.store.versions.Load()
		for n := range most {
			b.want("acme", "a"+strconv.Itoa(n), 0, "acme/a"+strconv.Itoa(n)+"@1")
		}
		return b.store.heads.Load() - heads, b.store.versions.Load() - versions
	}
	round()
	if heads, versions := round(); heads != 0 || versions != 0 {
		t.Errorf("of %d %d heads and %d versions are read again", most, heads, versions)
	}
	b.put("acme", "more")
	b.want("acme", "more", 0, "acme/more@1")
	if heads, versions := round(); heads != most || versions != most {
		t.Errorf("with one more %d heads and %d versions are read again", heads, versions)
	}
}

func TestManyAtOnceReadOnce(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.put("-", "a")
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() { b.want("acme", "a", 0, "-/a@1") })
	}
	all.Wait()
	if b.store.heads.Load() != 2 || b.store.versions.Load() != 1 {
		t.Errorf("%d heads, %d versions", b.store.heads.Load(), b.store.versions.Load())
	}
	for n := range 500 {
		name := strings.Repeat("x", n%60+1) + string(rune('a'+n%26))
		b.want("acme", name, 0, "")
	}
}
