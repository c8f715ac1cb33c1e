//go:build unix

package assembly

import (
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/settings"
)

// asIfUlimit has the command open no more than so many files, as ulimit -n does.
const asIfUlimit = "EFFERENT_TEST_ULIMIT"

func init() {
	if files, err := strconv.ParseUint(os.Getenv(asIfUlimit), 10, 32); err == nil {
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: files, Max: files}); err != nil {
			panic(err)
		}
	}
}

// TestFewDescriptors sends far more than there are descriptors for, to an
// endpoint that answers none until as many wait as may: more never do, and all
// arrive at their first try.
func TestFewDescriptors(t *testing.T) {
	t.Parallel()
	const files, groups = 256, 10
	places := connectionsWithin(files)
	var inside, most, arrived atomic.Int64
	full := make([]chan struct{}, groups)
	for i := range full {
		full[i] = make(chan struct{})
	}
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, r *http.Request, nth int) {
		now := inside.Add(1)
		defer inside.Add(-1)
		for was := most.Load(); now > was && !most.CompareAndSwap(was, now); was = most.Load() {
		}
		n := int(arrived.Add(1) - 1)
		if nth > 1 || n >= groups*places {
			t.Errorf("request %d is try %d", n+1, nth)
			return
		}
		if n%places == places-1 {
			close(full[n/places])
		}
		select {
		case <-full[n/places]:
		case <-r.Context().Done():
		}
	})
	p := commandtest.StartProcess(t, []string{asIfUlimit + "=" + strconv.Itoa(files), settings.Timeout + "=20s"},
		"dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", ":memory:")
	p.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	var texts []string
	for i := range groups * places {
		texts = append(texts, scenario.Text(fmt.Sprint("evt_", i), fmt.Sprint(e.URL, "/", i)))
	}
	for ten := range slices.Chunk(texts, 10) {
		p.Send(t, ten...)
	}
	for range texts {
		select {
		case <-e.Seen:
		case <-time.After(commandtest.Soon):
			t.Fatalf("%d of %d arrived", arrived.Load(), len(texts))
		}
	}
	if int(most.Load()) > places {
		t.Errorf("%d were sent at once, with descriptors for %d", most.Load(), places)
	}
}
