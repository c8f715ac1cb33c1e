package endpoint

import (
	"cmp"
	"context"
	"slices"
	"sync"
)

// Rosters gives the endpoints of tenants, as Store promises.
type Rosters interface {
	Getter
	Roster(ctx context.Context, tenant string) (Roster, error)
}

// maxTenants is how many tenants' endpoints a Book remembers; with more it begins
// anew.
const maxTenants = 1000

// Book gives all endpoints of a tenant as they are now: it reads the tenant's roster
// each time, and the endpoints where that has changed. It is used by many goroutines
// at once.
type Book struct {
	Store Rosters

	mu       sync.Mutex
	byTenant map[string]page
}

// page are a tenant's endpoints by the version of its roster.
type page struct {
	version int64
	ready   []*Ready
}

// Of gives a tenant's endpoints, in the order in which they were created. One that
// can't be meant any more is left out.
func (b *Book) Of(ctx context.Context, tenant string) ([]*Ready, error) {
	r, err := b.Store.Roster(ctx, tenant)
	if err != nil {
		return nil, err
	}
	if p, ok := b.known(tenant); ok && p.version == r.Version {
		return p.ready, nil
	}
	// What is changed from here on is read as it was or as it is, and anew next time:
	// the roster has another version then.
	found, err := b.Store.Endpoints(ctx, r.IDs)
	if err != nil {
		return nil, err
	}
	ready := prepared(r.IDs, found)
	b.keep(tenant, page{r.Version, ready})
	return ready, nil
}

// prepared are endpoints that were read, in the order of ids.
func prepared(ids []string, found []Endpoint) []*Ready {
	order := make(map[string]int, len(ids))
	for n, id := range ids {
		order[id] = n
	}
	slices.SortFunc(found, func(a, b Endpoint) int { return cmp.Compare(order[a.ID], order[b.ID]) })
	var all []*Ready
	for _, e := range found {
		if ready, err := e.Check(); err == nil {
			all = append(all, ready)
		}
	}
	return all
}

func (b *Book) known(tenant string) (page, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p, ok := b.byTenant[tenant]
	return p, ok
}

func (b *Book) keep(tenant string, p page) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byTenant == nil || len(b.byTenant) >= maxTenants {
		b.byTenant = map[string]page{}
	}
	b.byTenant[tenant] = p
}
