package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
)

// compare measures another build of this program and of efferent, of a commit
// before, beside this one: each part in turn, round after round, against the
// same sink, so that what else the machine does falls on both.
func compare(args []string) error {
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	base := flags.String("base", "", "the bench binary of the commit before")
	baseEfferent := flags.String("base-efferent", "", "the efferent binary of the commit before")
	efferent := flags.String("efferent", efferentBinary, "the efferent binary")
	webhooks := flags.Int("n", 20_000, "webhooks of each measurement")
	rounds := flags.Int("rounds", 5, "rounds; medians are printed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := startSink()
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	n := fmt.Sprint(*webhooks)
	parts := []compared{
		{"bare net/http + HMAC loop", before(*base, "bare", s.url, n), func() (result, error) { return again("bare", s.url, n) }},
		{"handler, batches of 10", before(*base, "handler", s.url, n, "10"), func() (result, error) { return again("handler", s.url, n, "10") }},
	}
	for _, l := range loads {
		parts = append(parts, compared{l.name, func() (result, error) { return l.measure(*baseEfferent, s, *webhooks) },
			func() (result, error) { return l.measure(*efferent, s, *webhooks) }})
	}
	old, now := make([][]result, len(parts)), make([][]result, len(parts))
	for range *rounds {
		for i, p := range parts {
			o, err := p.before()
			if err != nil {
				return fmt.Errorf("%s, before: %w", p.name, err)
			}
			r, err := p.after()
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			old[i], now[i] = append(old[i], o), append(now[i], r)
		}
	}
	fmt.Printf("%d webhooks of 1 KiB, medians of %d rounds, CPU s per 1,000\n\n%-28s %10s %10s %10s\n", *webhooks, *rounds, "",
		"before", "now", "now/before")
	for i, p := range parts {
		was, is := median(old[i], result.cpuPer1000), median(now[i], result.cpuPer1000)
		fmt.Printf("%-28s %10.4f %10.4f %9.2fx\n", p.name, was, is, is/was)
	}
	return nil
}

// compared is one thing that is measured of both.
type compared struct {
	name          string
	before, after func() (result, error)
}

// before runs a part by another build of this program.
func before(binary string, args ...string) func() (result, error) {
	return func() (r result, err error) {
		cmd := exec.Command(binary, args...)
		cmd.Stderr = os.Stderr
		out, err := cmd.Output()
		if err != nil {
			return r, err
		}
		return r, json.Unmarshal(out, &r)
	}
}
