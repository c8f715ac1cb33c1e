package exchange

import (
	"net/http"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 0 ": 0, "-1": 0, "soon": 0, "1e3": 0, "99999999999": maxRetryAfter, "4000000000": 24 * time.Hour,
		"Tue, 24 Nov 2026 12:00:30 GMT": 30 * time.Second, "Tue, 24 Nov 2026 11:00:00 GMT": 0, "Tue, 24 Nov 2099 11:00:00 GMT": 24 * time.Hour,
	} {
		if got := (Answer{Header: http.Header{"Retry-After": {in}}}).RetryAfter(noon); got != want {
			t.Errorf("%q: got %v, want %v", in, got, want)
		}
	}
}
