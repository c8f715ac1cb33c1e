package deliver

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/textproto"
	"slices"
	"time"
)

// Auth gives the values of headers that are secrets, by the rule and with the errors of
// Secrets. It is used by many goroutines at once.
type Auth interface {
	Text(ctx context.Context, ref string, since time.Time) (string, error)
}

// authorize gives the message the headers of its endpoint whose values are secrets, as
// they were read at or after since, and reports whether one is not as it was. They go
// before what the message itself has.
func (d *delivery) authorize(ctx context.Context, since time.Time) (changed bool, err error) {
	if d.to == nil || len(d.to.Auth) == 0 {
		return false, nil
	}
	headers := maps.Clone(d.webhook.Headers) // others have it too
	if headers == nil {
		headers = http.Header{}
	}
	for _, name := range slices.Sorted(maps.Keys(d.to.Auth)) {
		value, err := d.needs.Auth.Text(ctx, d.to.Auth[name], since)
		if err != nil {
			return false, fmt.Errorf("the header %s: %w", name, err)
		}
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		changed = changed || headers.Get(canonical) != value
		headers[canonical] = []string{value}
	}
	d.webhook.Headers = headers
	return changed, nil
}
