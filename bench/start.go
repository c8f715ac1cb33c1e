package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// sizeLimit is the most bytes that a function's program may have.
const sizeLimit = 12 << 20

// starts measures the Lambdas' size, and their start: from the process's start
// to its first request to the Runtime API, against a stand-in of that API, in
// turn with a function that does nothing.
func starts(args []string) error {
	flags := flag.NewFlagSet("starts", flag.ContinueOnError)
	rounds := flags.Int("rounds", 25, "starts of each; medians are printed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "efferent-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	api, err := newRuntimeAPI()
	if err != nil {
		return err
	}
	defer api.close()
	programs := []struct{ name, pkg, file string }{
		{"an empty function", "./bench/emptylambda", filepath.Join(dir, "empty")},
		{"deliver", "./lambdas/deliver", filepath.Join(dir, "deliver")},
	}
	took := make([][]float64, len(programs))
	for _, p := range programs {
		if err := buildLambda(p.pkg, p.file); err != nil {
			return err
		}
	}
	for range *rounds {
		for i, p := range programs {
			d, err := api.start(p.file)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			took[i] = append(took[i], float64(d.Microseconds())/1000)
		}
	}
	fmt.Printf("\n%-24s %12s %12s   (from start to the first request to the Runtime API, medians of %d)\n", "", "MiB", "start, ms", *rounds)
	for i, p := range programs {
		stat, err := os.Stat(p.file)
		if err != nil {
			return err
		}
		slices.Sort(took[i])
		fmt.Printf("%-24s %12.2f %12.2f\n", p.name, float64(stat.Size())/(1<<20), took[i][len(took[i])/2])
		if p.name == "deliver" && stat.Size() > sizeLimit {
			return fmt.Errorf("deliver is larger than %d MiB", sizeLimit>>20)
		}
	}
	fmt.Printf("deliver starts in %.2f times the empty function's time\n", took[1][len(took[1])/2]/took[0][len(took[0])/2])
	return nil
}

// buildLambda builds for this machine, as make lambdas does for Lambda's.
func buildLambda(pkg, file string) error {
	c := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags=-s -w", "-o", file, pkg)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return nil
}

// runtimeAPI stands in for Lambda's Runtime API: it never has an event, and
// tells when it was first asked for one.
type runtimeAPI struct {
	listener net.Listener
	server   *http.Server
	asked    chan time.Time
}

func newRuntimeAPI() (*runtimeAPI, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	a := &runtimeAPI{listener: l, asked: make(chan time.Time, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(_ http.ResponseWriter, r *http.Request) {
		a.asked <- time.Now()
		<-r.Context().Done()
	})
	a.server = &http.Server{Handler: mux}
	go func() { _ = a.server.Serve(l) }()
	return a, nil
}

func (a *runtimeAPI) close() { _ = a.server.Close() }

// start runs a function until it asks for its first event.
func (a *runtimeAPI) start(file string) (time.Duration, error) {
	c := exec.Command(file)
	c.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + a.listener.Addr().String(), "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "AWS_LAMBDA_FUNCTION_NAME=bench",
		"WEBHOOKS_QUEUE_URL=http://127.0.0.1/1/webhooks", "AUDIT_QUEUE_URL=http://127.0.0.1/1/audit.fifo", "ATTEMPTS_TABLE=attempts"}
	begin := time.Now()
	if err := c.Start(); err != nil {
		return 0, err
	}
	defer func() { _ = c.Process.Kill(); _ = c.Wait() }()
	select {
	case at := <-a.asked:
		return at.Sub(begin), nil
	case <-time.After(30 * time.Second):
		return 0, errors.New("it did not ask for an event in 30 s")
	}
}
