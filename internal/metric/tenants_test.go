package metric

import (
	"strconv"
	"testing"
)

// TestTenants: only those that are asked for are told apart, and never more than may be.
func TestTenants(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tenants      *Tenants
		tenant, want string
	}{
		{nil, "acme", ""}, {nil, "", ""},
		{&Tenants{}, "acme", "acme"}, {&Tenants{}, "", "-"}, {&Tenants{}, "påsk", "other"},
		{&Tenants{}, ":a", "other"}, {&Tenants{}, "  ", "other"},
		{&Tenants{Only: []string{"acme"}}, "acme", "acme"}, {&Tenants{Only: []string{"acme"}}, "globex", "other"},
		{&Tenants{Only: []string{"acme"}}, "", "other"}, {&Tenants{Only: []string{"acme", "-"}}, "", "-"},
	} {
		if got := c.tenants.Label(c.tenant); got != c.want {
			t.Errorf("%+v: %q is %q, want %q", c.tenants, c.tenant, got, c.want)
		}
	}
	all := &Tenants{}
	for n := range MostTenants {
		all.Label(strconv.Itoa(n))
	}
	if all.Label("one more") != Other || all.Label("7") != "7" {
		t.Error("there is no bound, or it forgets")
	}
}
