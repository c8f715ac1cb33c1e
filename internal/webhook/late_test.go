package webhook

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestLate: it is made when what it takes can be had, and looked for anew every ten
// seconds until then; after that never again.
func TestLate(t *testing.T) {
	t.Parallel()
	url := endpoint(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	away, now, asked := errors.New("away"), time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC), 0
	err := away
	late := &Late{Now: func() time.Time { return now }, Make: func(context.Context) (*Client, error) {
		if asked++; err != nil {
			return nil, err
		}
		return client(t), nil
	}}
	post := func(want error, wantAsked int) {
		t.Helper()
		if got := late.Ready(t.Context()); !errors.Is(got, want) || asked != wantAsked {
			t.Errorf("ready: %v, asked for %d times", got, asked)
		}
		x := late.Post(t.Context(), request(t, url))
		if x.Ours != (want != nil) || !errors.Is(x.Err, want) || (x.Status == http.StatusNoContent) != (want == nil) || asked != wantAsked {
			t.Errorf("got %+v, asked for %d times", x, asked)
		}
		if want != nil && !x.Started.Equal(now) {
			t.Errorf("it was at %v", x.Started)
		}
	}
	post(away, 1)
	now = now.Add(againAfter - 1)
	post(away, 1)
	now = now.Add(1)
	err = errNoCertificate
	post(errNoCertificate, 2)
	now, err = now.Add(againAfter), nil
	post(nil, 3)
	now = now.Add(time.Hour)
	post(nil, 3)
	if r := late.Post(t.Context(), Request{URL: "none"}); r.Err == nil || strings.Contains(r.Err.Error(), "away") {
		t.Errorf("%+v", r)
	}
}
