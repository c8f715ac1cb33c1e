package webhook

import (
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
)

// TestFailure: each way to fail is of one kind, and the kinds are those that are
// counted.
func TestFailure(t *testing.T) {
	t.Parallel()
	told := func(err error) Exchange { return Exchange{Err: explain(err, time.Second, false, false)} }
	for name, c := range map[string]struct {
		x    Exchange
		want string
	}{
		"delivered":        {Exchange{Status: 204}, ""},
		"a redirect":       {Exchange{Status: 302}, metric.Redirect},
		"refused":          {Exchange{Status: 404}, metric.Client},
		"too many":         {Exchange{Status: 429}, metric.Throttled},
		"gone":             {Exchange{Status: 410, Gone: true}, metric.Gone},
		"this one unasked": {Exchange{Status: 400, Abort: true}, metric.Gone},
		"down":             {Exchange{Status: 503}, metric.Server},
		"no such status":   {Exchange{Status: 999}, metric.Other},
		"none":             {Exchange{Status: 101}, metric.Other},
		"no reason":        {Exchange{}, metric.Other},
		"no name":          {told(&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "a.test"}}), metric.DNS},
		"no connection":    {told(&net.OpError{Op: "dial", Err: errors.New("refused")}), metric.Connect},
		"no TLS":           {told(errors.New("tls: bad certificate")), metric.TLS},
		"no answer":        {Exchange{Err: explain(io.EOF, time.Second, true, false)}, metric.Timeout},
		"it hung up":       {told(fmt.Errorf("read: %w", io.EOF)), metric.Closed},
		"not HTTP":         {told(errors.New(`malformed HTTP response "SSH-2.0"`)), metric.NotHTTP},
		"an address":       {told(&refusal{ErrBlockedAddress, "address 10.0.0.1 is not public"}), metric.Blocked},
		"plain http":       {Exchange{Err: &refusal{ErrPlainHTTP, "plain http"}}, metric.Blocked},
		"the message":      {Exchange{Err: &message.FieldError{Field: "url", Problem: "missing"}}, metric.Malformed},
		"no key":           {Exchange{Err: fmt.Errorf("acme: %w", ErrSecretUnusable)}, metric.Secret},
		"no secret":        {Exchange{Err: fmt.Errorf("acme: %w", ErrSecretNotFound)}, metric.Secret},
		"something else":   {told(errors.New("what is this")), metric.Other},
	} {
		if got := c.x.Failure(); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
