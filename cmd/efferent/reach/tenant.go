package reach

import (
	"context"
	"net/url"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/handlers/endpoints"
	"github.com/efferent/efferent/internal/terminal"
)

// TenantFlags say whose endpoints are meant.
type TenantFlags struct {
	APIFlags
	Tenant string `required:"" placeholder:"NAME" help:"Whose endpoint."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

func (f *TenantFlags) path() string { return "/api/v1/tenants/" + url.PathEscape(f.Tenant) }

// Ask makes a request about the tenant.
func (f *TenantFlags) Ask(ctx context.Context, method, path string, in, into any) error {
	switch f.Tenant {
	case "", ".", "..":
		return console.Misusedf("--tenant %q is no tenant's name", f.Tenant)
	}
	api, err := f.Client(ctx)
	if err != nil {
		return err
	}
	return api.Call(ctx, method, f.path()+path, in, into)
}

// Say prints an endpoint as JSON, or what became of it in words.
func (f *TenantFlags) Say(e endpoints.Endpoint, words string) error {
	if f.JSON {
		return console.PrintJSON(e)
	}
	return terminal.Stdout().Say(words)
}
