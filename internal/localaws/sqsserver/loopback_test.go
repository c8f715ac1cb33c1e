package sqsserver_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

func TestLoopbackOnly(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:4566": 200, "sqs.localhost:1": 200, "127.0.0.1": 200, "127.1.2.3:80": 200, "[::1]:80": 200, "[::1]": 200,
		"[::ffff:127.0.0.1]:80": 200, "localhost.:80": 200,
		"": 403, "example.com": 403, "example.com:80": 403, "localhost.example.com": 403, "notlocalhost": 403,
		"10.0.0.1:4566": 403,
		"[::2]:80":      403, "127.0.0.1.example.com": 403, "0.0.0.0": 403,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		sqsserver.LoopbackOnly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d", host, w.Code)
		}
	}
}

func TestHostsThatAreAllowed(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]int{
		"host.docker.internal:4566": 200, "HOST.docker.internal": 200, "host.docker.internal.": 200, "efferent_dev:4566": 200,
		"172.17.0.1:4566": 200, "[fd00::1]:4566": 200, "[fd00::1]": 200, "127.0.0.1": 200,
		"": 403, "docker.internal": 403, "x.host.docker.internal": 403, "host.docker.internal.example.com": 403, "172.17.0.2": 403,
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		sqsserver.LoopbackOnly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}),
			"host.docker.internal", "efferent_dev", "172.17.0.1", "fd00::1").ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: %d", host, w.Code)
		}
	}
	for name, want := range map[string]bool{
		"host.docker.internal": true, "efferent": true, "efferent_dev": true, "172.17.0.1": true, "fd00::1": true,
		"localhost.localstack.cloud": true,
		"":                           false, "*": false, "*.internal": false, "host:80": false,
		"http://host": false, "a b": false, ".": false, "a.": false,
	} {
		if err := sqsserver.CheckHost(name); (err == nil) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
}
