package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/efferent/efferent/e2e/localstack"
)

// queues measures the SQS endpoint: cycles of send, receive and delete a
// second, each of one message of 1 KiB, beside other local endpoints.
func queues(args []string) error {
	flags := flag.NewFlagSet("queues", flag.ContinueOnError)
	efferent := flags.String("efferent", efferentBinary, "the efferent binary")
	goaws := flags.String("goaws", "", "the binary of bench/goaws; empty to leave it out")
	python := flags.String("localstack", "", "the Python that has LocalStack; empty to leave it out")
	each := flags.Duration("time", 3*time.Second, "how long each measurement takes")
	rounds := flags.Int("rounds", 3, "rounds; medians are printed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	endpoints, stop, err := startEndpoints(*efferent, *goaws, *python)
	defer stop()
	if err != nil {
		return err
	}
	found := map[string][]result{}
	for range *rounds {
		for _, e := range endpoints {
			for _, kind := range kinds {
				r, err := again("cycles", e.url, kind.client, kind.clients, each.String())
				if err != nil {
					return fmt.Errorf("%s: %w", e.name, err)
				}
				found[e.name+kind.client+kind.clients] = append(found[e.name+kind.client+kind.clients], r)
			}
		}
	}
	fmt.Printf("send + receive + delete of 1 KiB through HTTP, cycles a second, medians of %d rounds of %s\n", *rounds, *each)
	fmt.Printf("(clients on the same cores, each with a queue of its own: aws-sdk-go-v2, and plain net/http without it)\n\n%-24s", "")
	for _, kind := range kinds {
		fmt.Printf(" %10s", kind.client+" x"+kind.clients)
	}
	fmt.Println()
	for _, e := range endpoints {
		fmt.Printf("%-24s", e.name)
		failed := 0
		for _, kind := range kinds {
			rs := found[e.name+kind.client+kind.clients]
			fmt.Printf(" %10.0f", median(rs, result.rate))
			for _, r := range rs {
				failed += r.Failed
			}
		}
		if failed > 0 {
			fmt.Printf("   (%d cycles failed and are not counted)", failed)
		}
		fmt.Println()
	}
	fmt.Printf("%-24s", "ours, of the empty one's")
	for _, kind := range kinds {
		name := kind.client + kind.clients
		fmt.Printf(" %9.0f%%", 100*median(found[endpoints[0].name+name], result.rate)/median(found[emptyName+name], result.rate))
	}
	fmt.Println()
	return nil
}

const emptyName = "net/http, does nothing"

// kinds are the clients that are measured. What the SDK itself takes bounds
// what it can measure, so there is one that takes little.
var kinds = []struct{ client, clients string }{{"sdk", "1"}, {"sdk", "8"}, {"plain", "1"}, {"plain", "8"}}

type endpoint struct{ name, url string }

func startLocalStack(python string) (url string, end func(), err error) {
	dir, err := os.MkdirTemp("", "efferent-bench-")
	if err != nil {
		return "", nil, err
	}
	s, err := localstack.Run(context.Background(), python, dir)
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s.URL, func() { s.Stop(); _ = os.RemoveAll(dir) }, nil
}

// startEndpoints starts what is named; stop ends what was started, whatever
// the error.
func startEndpoints(efferent, goaws, python string) (all []endpoint, stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	d, err := startDev(efferent)
	if err != nil {
		return nil, stop, err
	}
	stops = append(stops, func() { _, _ = d.stop() })
	all = append(all, endpoint{"efferent dev, durable", d.awsURL})
	nothing, err := serve(self("empty"))
	if err != nil {
		return nil, stop, err
	}
	stops = append(stops, func() { _ = nothing.stop() })
	all = append(all, endpoint{emptyName, nothing.url})
	if goaws != "" {
		c := exec.Command(goaws)
		c.Stderr = os.Stderr
		s, err := serve(c)
		if err != nil {
			return nil, stop, fmt.Errorf("GoAWS: %w", err)
		}
		stops = append(stops, func() { _ = s.stop() })
		all = append(all, endpoint{"GoAWS, in memory", s.url})
	}
	if python != "" {
		url, end, err := startLocalStack(python)
		if err != nil {
			return nil, stop, err
		}
		stops = append(stops, end)
		all = append(all, endpoint{"LocalStack, in memory", url})
	}
	return all, stop, nil
}
