package webhook

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestPostHeedsTheMessagesTimeout: it is what bounds the exchange, be it shorter or
// longer than the Client's 10 s.
func TestPostHeedsTheMessagesTimeout(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		named, takes, want time.Duration
		status             int
		slow               bool
	}{
		"none":                         {0, time.Hour, 10 * time.Second, 0, true},
		"a shorter one":                {3 * time.Second, time.Hour, 3 * time.Second, 0, true},
		"a longer one":                 {15 * time.Second, time.Hour, 15 * time.Second, 0, true},
		"an answer within the longer":  {20 * time.Second, 15 * time.Second, 15 * time.Second, 204, false},
		"in four fifths of it":         {20 * time.Second, 16 * time.Second, 16 * time.Second, 204, false},
		"in more":                      {20 * time.Second, 16*time.Second + 1, 16*time.Second + 1, 204, true},
		"in four fifths of a shorter":  {2 * time.Second, 1600 * time.Millisecond, 1600 * time.Millisecond, 204, false},
		"in more of a shorter":         {2 * time.Second, 1700 * time.Millisecond, 1700 * time.Millisecond, 204, true},
		"in four fifths of the usual":  {0, 8 * time.Second, 8 * time.Second, 204, false},
		"in more than that, of no own": {0, 8*time.Second + 1, 8*time.Second + 1, 204, true},
	} {
		for _, h2 := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					p := inMemory(h2, func(_ int, p *peer) {
						p.answer(p.request())
						stream := p.request()
						if c.status == 0 {
							_ = p.request() // answers pings until the connection ends
							return
						}
						<-time.After(c.takes) // a server with one thread answers no ping meanwhile
						p.answer(stream)
						p.answerAll()
					})
					sender := inBubble(t, p)
					r := request(t, p.url)
					r.Timeout = c.named
					if x := sender.Post(t.Context(), r); x.Status != 204 {
						t.Fatalf("the first: %+v", x)
					}
					x := sender.Post(t.Context(), r)
					if x.Status != c.status || x.Duration != c.want || x.Slow != c.slow || x.Lost || x.Interrupted || p.connections.Load() != 1 {
						t.Errorf("got %+v on connection %d", x, p.connections.Load())
					}
					if want := "no answer within " + c.want.String(); c.status == 0 && x.Err.Error() != want {
						t.Errorf("got %v, want %s", x.Err, want)
					}
				})
			})
		}
	}
}
