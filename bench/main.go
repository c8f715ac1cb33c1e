// Command bench measures webhooks a second and CPU seconds per thousand: of a
// bare net/http loop, of the handler, and of the whole of efferent dev, side
// by side in one run, against the same sink process. It runs itself again for
// the parts that are processes of their own. It starts nothing but processes
// on 127.0.0.1, and ends by itself.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"
)

// inFlight is how many requests each measured part has open at most.
const inFlight = 64

const efferentBinary = "build/efferent"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case "sink":
			return sink()
		case "send":
			return send(args[1:])
		case "publish":
			return publish(args[1:])
		case "bare":
			return printResult(bare(args[1:]))
		case "handler":
			return printResult(handler(args[1:]))
		case "dev":
			return printResult(one(args[1:]))
		case "cycles":
			return printResult(cycles(args[1:]))
		case "empty":
			return empty()
		case "queues":
			return queues(args[1:])
		case "deadletters":
			return deadletters(args[1:])
		case "memory":
			return memories(args[1:])
		case "standins":
			return standins()
		case "barenotify":
			return printResult(bareNotify(args[1:]))
		case "notifyhandler":
			return printResult(notifyHandler(args[1:]))
		case "notifications":
			return notifications(args[1:])
		case "ledger":
			return ledgers(args[1:])
		case "cost":
			return cost(args[1:])
		case "compare":
			return compare(args[1:])
		case "starts":
			return starts(args[1:])
		case "isolation":
			return isolation(args[1:])
		case "mix":
			return sendMix(args[1:])
		case "hang":
			return hang()
		}
	}
	efferent := flag.String("efferent", efferentBinary, "the efferent binary")
	webhooks := flag.Int("n", 20_000, "webhooks of each measurement")
	rounds := flag.Int("rounds", 3, "rounds; medians are printed")
	flag.Parse()
	return measure(*efferent, *webhooks, *rounds)
}

// result is what one measurement found.
type result struct {
	Webhooks int     `json:"webhooks"`
	Seconds  float64 `json:"seconds"`
	CPU      float64 `json:"cpu"` // seconds, user and system
	Failed   int     `json:"failed,omitempty"`
}

func (r result) rate() float64       { return float64(r.Webhooks) / r.Seconds }
func (r result) cpuPer1000() float64 { return r.CPU * 1000 / float64(r.Webhooks) }
func printResult(r result, e error) error {
	if e != nil {
		return e
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// part is one thing that is measured.
type part struct {
	name string
	run  func() (result, error)
}

// measure runs every part in turn, rounds times, and prints medians.
func measure(efferent string, webhooks, rounds int) error {
	s, err := startSink()
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	n := fmt.Sprint(webhooks)
	parts := []part{
		{"bare net/http + HMAC loop", func() (result, error) { return again("bare", s.url, n) }},
		{"handler, batches of 10", func() (result, error) { return again("handler", s.url, n, "10") }},
		{"handler, batches of 100", func() (result, error) { return again("handler", s.url, n, "100") }},
	}
	for _, l := range loads {
		parts = append(parts, part{l.name, func() (result, error) { return l.measure(efferent, s, webhooks) }})
	}
	for _, f := range []fanLoad{1, 10} {
		parts = append(parts, part{f.String(), func() (result, error) { return f.measure(efferent, s, webhooks) }})
	}
	results := make([][]result, len(parts))
	for range rounds {
		for i, p := range parts {
			r, err := p.run()
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			results[i] = append(results[i], r)
		}
	}
	fmt.Printf("%d webhooks of 1 KiB, %d in flight, medians of %d rounds\n\n", webhooks, inFlight, rounds)
	fmt.Printf("%-28s %12s %16s %14s %14s\n", "", "webhooks/s", "CPU s per 1,000", "CPU / bare's", "/ delivered's")
	const first = 3 // of what goes through dev
	base, delivered := median(results[0], result.cpuPer1000), median(results[first], result.cpuPer1000)
	for i, p := range parts {
		cpu := median(results[i], result.cpuPer1000)
		fmt.Printf("%-28s %12.0f %16.3f %13.2fx", p.name, median(results[i], result.rate), cpu, cpu/base)
		if i > first {
			fmt.Printf(" %13.2fx", cpu/delivered)
		}
		fmt.Println()
	}
	return devLatency(efferent, s)
}

func median(rs []result, of func(result) float64) float64 {
	var values []float64
	for _, r := range rs {
		values = append(values, of(r))
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// again runs this program again and reads its result.
func again(args ...string) (r result, err error) {
	out, err := self(args...).Output()
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(out, &r)
}

const patience = 2 * time.Minute
