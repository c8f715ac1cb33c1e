package metric

import (
	"slices"
	"strings"
	"sync"
)

// MostTenants is how many tenants a process tells apart, and how many may be named: each
// is up to eighteen custom metrics to CloudWatch.
const MostTenants = 1000

// Nobody is the tenant of what is nobody's, as the API's paths have it.
const Nobody = "-"

// Tenants are those that are told apart by their metrics. Nil is none. It is used by many
// goroutines at once.
type Tenants struct {
	// Only are those; where there are none it is all, as they come, up to MostTenants.
	Only []string

	mu   sync.Mutex
	seen map[string]bool
}

// Label is a tenant's value of the dimension Tenant: Other for one that is not told apart,
// and empty where none is.
func (t *Tenants) Label(tenant string) string {
	if t == nil {
		return ""
	}
	if tenant == "" {
		tenant = Nobody
	}
	if t.has(tenant) {
		return tenant
	}
	return Other
}

func (t *Tenants) has(tenant string) bool {
	if len(t.Only) > 0 {
		return slices.Contains(t.Only, tenant)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.seen[tenant] {
		return true
	}
	if len(t.seen) == MostTenants || !CanTell(tenant) {
		return false
	}
	if t.seen == nil {
		t.seen = map[string]bool{}
	}
	t.seen[tenant] = true
	return true
}

// CanTell reports whether a tenant's name can be a dimension's value: printable ASCII that
// does not begin with a colon ("Dimension", Amazon CloudWatch API Reference).
func CanTell(tenant string) bool {
	return strings.Trim(tenant, " ") != "" && tenant[0] != ':' &&
		!strings.ContainsFunc(tenant, func(r rune) bool { return r < ' ' || r > '~' })
}
