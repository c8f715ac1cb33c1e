package worker

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
)

// healthTime is how long a probe waits: platforms give it a few seconds.
const healthTime = 3 * time.Second

// HealthCommand is for platforms whose probes run a command in the container,
// where there is no shell and no curl.
type HealthCommand struct {
	Ready   bool   `help:"Fail too while a queue can't be worked on, and not only when nothing answers."`
	Address string `arg:"" optional:"" env:"EFFERENT_HEALTH" default:"${dev_http}" help:"The worker's --health or --http (${default})."`
}

func (c *HealthCommand) Run(ctx context.Context) error {
	address, err := c.here()
	if err != nil {
		return err
	}
	path := "/healthz"
	if c.Ready {
		path = "/readyz"
	}
	ctx, stop := context.WithTimeout(ctx, healthTime)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Transport{}).RoundTrip(req) // by no proxy
	if err != nil {
		return fmt.Errorf("no worker answers at %s; start it with --health or --http: %w", address, err)
	}
	defer resp.Body.Close()
	var report healthReport
	if err := json.UnmarshalRead(io.LimitReader(resp.Body, 1<<16), &report); err != nil || report.Status == "" {
		return fmt.Errorf("what answers at %s is no worker (%s)", address, resp.Status)
	}
	for _, q := range report.Queues {
		fmt.Fprintf(os.Stdout, "%s\n", strings.TrimRight(q.Queue+": "+q.Status+" "+q.Reason, " "))
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the worker at %s is not ready: %s", address, report.Status)
	}
	return nil
}

// here is the address to ask at where the worker listens on every network.
func (c *HealthCommand) here() (string, error) {
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return "", fmt.Errorf("%q is no address such as 127.0.0.1:8081: %w", c.Address, err)
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port), nil
}
