package template

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// FreshFor is how long a head is taken for what it was: what is current is read once a
// second and process at most.
const FreshFor = time.Second

// mostKnown is how many heads, and how many versions, a Book remembers; with more it
// begins anew.
const mostKnown = 200

// Book gives what messages name. What it has read of heads it remembers for FreshFor,
// and versions for good: they never change. It is used by many goroutines at once.
type Book struct {
	Store Getter
	Now   func() time.Time

	mu       sync.Mutex
	heads    map[name]*read[Head]
	versions map[pinned]*read[Template]
}

type name struct{ tenant, name string }

type pinned struct {
	name
	version int64
}

// read is what was read, by whom came first: the others wait.
type read[T any] struct {
	once  sync.Once
	value T
	err   error
	at    time.Time
}

// Of gives the version of a template for a tenant, the current one for 0: the tenant's
// own, or, where it has none of that name, that of Default. That there is none is never
// said out of memory: who has just put one may use it. Its error wraps ErrNotFound where
// there is none; any other may pass.
func (b *Book) Of(ctx context.Context, tenant, template string, version int64) (Template, error) {
	tenant = Owner(tenant)
	h, err := b.owned(ctx, tenant, template, version)
	if errors.Is(err, ErrNotFound) {
		b.forgetHeads(name{tenant, template}, name{Default, template})
		h, err = b.owned(ctx, tenant, template, version)
	}
	if err != nil {
		return Template{}, err
	}
	if version == 0 {
		version = h.Current
	}
	return b.version(ctx, pinned{name{h.Tenant, template}, version})
}

// owned is the head that a tenant's messages have, if it has the version.
func (b *Book) owned(ctx context.Context, tenant, template string, version int64) (Head, error) {
	h, err := b.head(ctx, name{tenant, template})
	if tenant != Default && (errors.Is(err, ErrNotFound) || err == nil && h.Deleted()) {
		h, err = b.head(ctx, name{Default, template})
	}
	switch {
	case errors.Is(err, ErrNotFound), err == nil && h.Deleted():
		return Head{}, fmt.Errorf("%w: neither the tenant %q nor %q, for all tenants, has %q", ErrNotFound, tenant, Default, template)
	case err == nil && version != 0 && !h.Has(version):
		return Head{}, fmt.Errorf("%w: %q of the tenant %q has no version %d", ErrNotFound, template, h.Tenant, version)
	}
	return h, err
}

func (b *Book) forgetHeads(all ...name) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, of := range all {
		delete(b.heads, of)
	}
}

func (b *Book) head(ctx context.Context, of name) (Head, error) {
	now := b.Now()
	b.mu.Lock()
	r, ok := b.heads[of]
	if !ok || !now.Before(r.at.Add(FreshFor)) {
		if b.heads == nil || len(b.heads) >= mostKnown {
			b.heads = map[name]*read[Head]{}
		}
		r = &read[Head]{at: now}
		b.heads[of] = r
	}
	b.mu.Unlock()
	r.once.Do(func() { r.value, r.err = b.Store.TemplateHead(ctx, of.tenant, of.name) })
	if r.err != nil && !errors.Is(r.err, ErrNotFound) {
		forget(b, &b.heads, of, r)
	}
	return r.value, r.err
}

func (b *Book) version(ctx context.Context, of pinned) (Template, error) {
	b.mu.Lock()
	r, ok := b.versions[of]
	if !ok {
		if b.versions == nil || len(b.versions) >= mostKnown {
			b.versions = map[pinned]*read[Template]{}
		}
		r = &read[Template]{}
		b.versions[of] = r
	}
	b.mu.Unlock()
	r.once.Do(func() { r.value, r.err = b.Store.Template(ctx, of.tenant, of.name.name, of.version) })
	if r.err != nil {
		forget(b, &b.versions, of, r)
	}
	return r.value, r.err
}

// forget has what could not be read be read anew by who comes next.
func forget[K comparable, T any](b *Book, all *map[K]*read[T], key K, r *read[T]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if (*all)[key] == r {
		delete(*all, key)
	}
}
