package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"time"
)

const (
	// endpoints are how many there are, well or not, each with as many messages.
	endpoints = 100
	// refusing is an address that nobody listens at: a port that the system gives to
	// no one else.
	refusing = "http://127.0.0.1:1"
)

// trouble is what happens beside the webhooks of healthy endpoints.
type trouble struct {
	name string
	// hanging of the endpoints accept connections, and never answer. What is for
	// them comes mixed in, as often as for each of the others.
	hanging int
	// burst more are sent, a few seconds after the start, to the endpoints that hang;
	// where refused says so, to some that refuse connections; and where there is no
	// trouble, to other healthy ones, to see what their number alone costs. They are
	// sent at once, or so many a second.
	burst, pace int
	refused     bool
	// grouped says that the messages of each endpoint have a group of their own.
	grouped bool
}

var troubles = []trouble{
	{name: "none"},
	{name: "1 of 100 endpoints hangs", hanging: 1},
	{name: "10 hang", hanging: 10},
	{name: "50 hang", hanging: 50},
	{name: "50 hang, 5,000 at once for them", hanging: 50, burst: 5000},
	{name: "… by groups", hanging: 50, burst: 5000, grouped: true},
	{name: "20,000 refused, 1,000 a second", burst: 20_000, pace: 1000, refused: true},
	{name: "20,000 delivered, 1,000 a second", burst: 20_000, pace: 1000},
	{name: "20,000 refused, at once", burst: 20_000, refused: true},
	{name: "… by groups", burst: 20_000, refused: true, grouped: true},
	{name: "20,000 delivered, at once", burst: 20_000},
}

// isolation measures what endpoints that hang or refuse cost the others: the time
// from SendMessage's answer to the request's arrival, of webhooks for healthy
// endpoints, through the whole of efferent dev, beside a run without.
func isolation(args []string) error {
	flags := flag.NewFlagSet("isolation", flag.ContinueOnError)
	efferent := flags.String("efferent", efferentBinary, "the efferent binary")
	rate := flags.Int("rate", 60, "webhooks a second for healthy endpoints")
	each := flags.Duration("time", 25*time.Second, "how long each measurement takes")
	rounds := flags.Int("rounds", 1, "rounds; medians are printed")
	only := flags.String("only", "", "a regular expression: which of them, beside the run without")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	found := make([][]latency, len(troubles))
	for range *rounds {
		for n, t := range troubles {
			if n > 0 && !wanted.MatchString(t.name) {
				continue
			}
			l, err := t.measure(*efferent, *rate, *each)
			if err != nil {
				return fmt.Errorf("%s: %w", t.name, err)
			}
			found[n] = append(found[n], l)
		}
	}
	fmt.Printf("ms from SendMessage's answer to the arrival at a healthy endpoint, of %d a second for %s, medians of %d rounds\n\n",
		*rate, *each, *rounds)
	fmt.Printf("%-36s %8s %8s %8s %8s %8s %12s\n", "beside them", "p50", "p99", "most", "p50 / 1", "p99 / 1", "connections")
	without := medianLatency(found[0])
	for n, t := range troubles {
		if len(found[n]) == 0 {
			continue
		}
		l := medianLatency(found[n])
		fmt.Printf("%-36s %8.2f %8.2f %8.2f %7.2fx %7.2fx %12d\n", t.name, l.p50, l.p99, l.most, l.p50/without.p50, l.p99/without.p99, l.hung)
	}
	return nil
}

// latency is what one measurement found: milliseconds, and how many connections
// the endpoints that hang have accepted.
type latency struct {
	p50, p99, most float64
	hung           int
}

func medianLatency(all []latency) latency {
	of := func(value func(latency) float64) float64 {
		var values []float64
		for _, l := range all {
			values = append(values, value(l))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return latency{
		of(func(l latency) float64 { return l.p50 }), of(func(l latency) float64 { return l.p99 }),
		of(func(l latency) float64 { return l.most }), int(of(func(l latency) float64 { return float64(l.hung) })),
	}
}

// measure runs an efferent dev of its own.
func (t trouble) measure(efferent string, rate int, each time.Duration) (l latency, err error) {
	s, err := startSink()
	if err != nil {
		return l, err
	}
	defer func() { _ = s.stop() }()
	hanging, err := serve(self("hang"))
	if err != nil {
		return l, err
	}
	defer func() { _ = hanging.stop() }()
	d, err := startDev(efferent)
	if err != nil {
		return l, err
	}
	defer os.RemoveAll(d.dir)
	m := mix{AWS: d.awsURL, Healthy: s.url, Hanging: hanging.url, Rate: rate, Time: each, Endpoints: endpoints - t.hanging, Hang: t.hanging,
		Burst: t.burst, Pace: t.pace, Grouped: t.grouped}
	switch {
	case t.refused:
		m.Hanging = refusing
	case t.hanging == 0:
		m.Hanging = s.url + "/in/others"
	}
	answered, sendErr := m.start()
	a, err := s.wait(len(answered))
	hung, hungErr := hanging.accepted()
	_, stopErr := d.stop()
	if err := errors.Join(sendErr, err, hungErr, stopErr); err != nil {
		return l, err
	}
	l = latencyOf(answered, a.ByID)
	l.hung = hung
	return l, nil
}

// latencyOf compares when each was answered with when it arrived.
func latencyOf(answered, arrived map[string]time.Time) latency {
	var waits []float64
	for id, at := range answered {
		waits = append(waits, float64(arrived[id].Sub(at).Microseconds())/1000)
	}
	slices.Sort(waits)
	return latency{p50: waits[len(waits)/2], p99: waits[len(waits)*99/100], most: waits[len(waits)-1]}
}

// start runs the sender as a process of its own.
func (m mix) start() (answered map[string]time.Time, err error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	out, err := self("mix", string(b)).Output()
	if err != nil {
		return nil, err
	}
	return answered, json.Unmarshal(out, &answered)
}

// accepted is how many connections there were so far.
func (s *served) accepted() (int, error) {
	line, err := s.ask()
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(line)
}
