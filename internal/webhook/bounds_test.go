package webhook

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
)

// TestDialHasABoundOfItsOwn: net/http dials on without a deadline after the
// exchange that wanted the connection has ended.
func TestDialHasABoundOfItsOwn(t *testing.T) {
	t.Parallel()
	g := newGuard(nil, nil, time.Minute)
	seen, bounded, enough := false, false, errors.New("enough seen")
	g.dialer.ControlContext = func(ctx context.Context, _, _ string, _ syscall.RawConn) error {
		seen = true
		_, bounded = ctx.Deadline()
		return enough // before a packet leaves
	}
	if conn, err := g.dial(context.Background(), "tcp", "192.0.2.1:443"); !errors.Is(err, enough) || !seen || !bounded {
		t.Errorf("got %v, %v; seen %t, bounded %t", conn, err, seen, bounded)
	}
}

// TestDialTellsWhatIsDown: of a name's addresses the first is blocked, and the
// other is allowed, but nobody listens there. It may work later.
func TestDialTellsWhatIsDown(t *testing.T) {
	t.Parallel()
	down, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(down.Addr().String())
	_ = down.Close()
	for label, addresses := range map[string][]string{
		"blocked before down": {"127.0.0.2", "127.0.0.1"}, "down before blocked": {"127.0.0.1", "127.0.0.2"},
	} {
		c := client(t, func(o *Options) {
			o.Resolver, o.AllowPrefixes = resolver(addresses), []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
		})
		x := c.Post(t.Context(), request(t, "http://hooks.acme.test:"+port))
		if v, reason := Classify(x); v != attempt.Retryable {
			t.Errorf("%s: got %s, %s", label, v, reason)
		}
	}
}

// endless is a body without an end, and counts what is read of it.
type endless struct{ read int }

func (e *endless) Read(b []byte) (int, error) {
	e.read += len(b)
	return len(b), nil
}

// TestBodiesAreReadInPart: what an endpoint says without an end is left to it.
func TestBodiesAreReadInPart(t *testing.T) {
	t.Parallel()
	const seen = 2 // bytes, to see whether a body ends
	for label, read := range map[string]func(io.Reader) bool{
		"of a failure":  func(body io.Reader) bool { _, more := readResponse(body, attempt.ResponseLimit); return more },
		"of a delivery": drain,
	} {
		body := new(endless)
		// One that is read to its end is read for ever.
		if more := read(io.LimitReader(body, 200*bodyLimit)); !more || body.read < bodyLimit || body.read > bodyLimit+seen {
			t.Errorf("%s: %d bytes were read, more: %t", label, body.read, more)
		}
	}
}
