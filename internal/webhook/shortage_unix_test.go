//go:build unix

package webhook

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/attempt"
)

// inProcessWith runs the test again in a process of its own, with the
// environment variable that says so, and reports whether this is that process.
func inProcessWith(t *testing.T, name, value string) bool {
	t.Helper()
	if os.Getenv(name) != "" {
		return true
	}
	again := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
	again.Env = append(os.Environ(), name+"="+value)
	if out, err := again.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	return false
}

// few has the process open no more than so many files.
func few(t *testing.T, files uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: files, Max: files}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
}

// exhaust takes all the descriptors that are left.
func exhaust(t *testing.T) (taken []*os.File) {
	t.Helper()
	for {
		f, err := os.Open(os.DevNull)
		if err != nil {
			return taken
		}
		taken = append(taken, f)
	}
}

// TestOurs: what could not be sent for lack of a descriptor is nobody else's
// fault, whether that was needed for the connection or for finding the host.
func TestOurs(t *testing.T) {
	t.Parallel()
	if !inProcessWith(t, "EFFERENT_TEST_NO_DESCRIPTOR", "1") {
		return
	}
	url := endpoint(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	c := client(t, func(o *Options) { o.Resolver = &net.Resolver{PreferGo: true} })
	few(t, 64)
	taken := exhaust(t)
	for _, to := range []string{url, "http://hooks.acme.test"} {
		x := c.Post(t.Context(), request(t, to))
		if v, reason := Classify(x); !x.Ours || x.Status != 0 || x.Interrupted || x.Lost || v != attempt.Retryable ||
			!strings.Contains(reason, syscall.EMFILE.Error()) {
			t.Errorf("%s: got %+v: %s, %s", to, x, v, reason)
		}
	}
	for _, f := range taken {
		_ = f.Close()
	}
	if x := c.Post(t.Context(), request(t, url)); x.Status != http.StatusNoContent || x.Ours {
		t.Errorf("with descriptors: %+v", x)
	}
}

// TestNotOurs: once a webhook has a connection, what fails is not for lack of
// one.
func TestNotOurs(t *testing.T) {
	t.Parallel()
	url := endpoint(t, func(http.ResponseWriter, *http.Request) {})
	c := client(t)
	dial := c.transport.DialContext
	c.transport.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		return brokenPipe{conn}, err
	}
	if x := c.Post(t.Context(), request(t, url)); x.Status != 0 || x.Ours || !errors.Is(x.Err, syscall.ENOBUFS) {
		t.Errorf("got %+v", x)
	}
	if x := c.Post(t.Context(), request(t, "http://127.0.0.1:1")); x.Status != 0 || x.Ours {
		t.Errorf("got %+v", x)
	}
}

// brokenPipe is a connection that takes nothing, for lack of a buffer.
type brokenPipe struct{ net.Conn }

func (brokenPipe) Write([]byte) (int, error) { return 0, os.NewSyscallError("write", syscall.ENOBUFS) }

// TestPlacesKeepDescriptors: as many webhooks as there are descriptors, and their
// endpoints answer none until all that may be sent at once are.
func TestPlacesKeepDescriptors(t *testing.T) {
	t.Parallel()
	const files, places = 256, 28
	url := os.Getenv("EFFERENT_TEST_ENDPOINT")
	if url == "" {
		url = endpoint(t, newCrowd(places).ServeHTTP)
	}
	if !inProcessWith(t, "EFFERENT_TEST_ENDPOINT", url) {
		return
	}
	few(t, files)
	c := client(t, timeout(20*time.Second), func(o *Options) { o.MaxConnections = places })
	for _, x := range postAll(t, c, url, 20*places) {
		if x.Status != http.StatusNoContent {
			t.Errorf("got %+v", x)
		}
	}
}
