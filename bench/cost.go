package main

import (
	"context"
	"fmt"
	"slices"
)

// cost prices a million webhooks with their ledger, in batches as they are by
// default and in others; a million events, at fan-outs of 1 and 10; what failing, an endpoint that is down, and waiting add;
// what signing takes; and a month of none. Of all that, what is named, if something is.
func cost(names []string) error {
	ctx := context.Background()
	for _, part := range []struct {
		name    string
		batches []int
		print   func(ctx context.Context, batch int) error
	}{
		{"delivering", []int{100, 10}, million},
		{"events", []int{10}, eventsCost},
		{"failing", []int{10, 1}, failing},
		{"outage", []int{10}, outages},
		{"waiting", []int{10, 1}, waits},
		{"places", []int{10}, places},
		{"months", []int{10}, months},
	} {
		if len(names) > 0 && !slices.Contains(names, part.name) {
			continue
		}
		for _, batch := range part.batches {
			if err := part.print(ctx, batch); err != nil {
				return fmt.Errorf("%s: %w", part.name, err)
			}
		}
	}
	return nil
}

// lives is how many months entries are kept.
const lives = 12

// account is what a million messages use.
type account struct {
	sent, ledger     map[string]float64
	circuits         map[string]float64 // what of sent is theirs
	entries, commits float64            // a message, and in all
	besides          float64            // the part of the messages that is delivered besides those that fail
}

func (a account) total() float64 { return priceOf(a.sent) + priceOf(a.ledger) }

// fate is what becomes of webhooks.
type fate struct {
	name      string
	status    int
	text      string
	instances int
	// alone says that each has an endpoint of its own.
	alone bool
	// oneIn is of how many one fails; 0 is each. The others are delivered.
	oneIn int
}

// price sends webhooks through the handlers with their real adapters, counts what
// each would be billed for, and prices a million of them.
func (f fate) price(ctx context.Context, n, batch int) (a account, err error) {
	t := terms{batch: batch, instances: max(1, f.instances), body: invoice}
	if f.alone {
		t.customers = n
	}
	w, err := newWorld(ctx, t)
	if err != nil {
		return a, err
	}
	defer w.stop()
	w.endpoint.answer(f.status, f.text)
	w.endpoint.oneIn = max(1, f.oneIn)
	if err := w.send(ctx, n); err != nil {
		return a, err
	}
	l, err := w.appended(ctx)
	if err != nil {
		return a, err
	}
	entries, err := l.size(ctx)
	if err != nil {
		return a, err
	}
	million := 1e6 / float64(n)
	circuits := w.breaks.times(million)
	return account{
		sent: sum(w.bill.times(million), circuits), ledger: l.bill.times(million), circuits: circuits,
		entries: float64(entries) / float64(n), commits: float64(l.commits) * million,
		besides: 1 - 1/float64(max(1, f.oneIn)),
	}, nil
}

// million prints the bill of deliveries.
func million(ctx context.Context, batch int) error {
	a, err := fate{status: 200}.price(ctx, 20_000, batch)
	if err != nil {
		return err
	}
	fmt.Printf("\na million webhooks of 1 KiB, in batches of %d, to endpoints that answer in %.0f ms:\n", batch, answer*1000)
	all := printBill(a.sent)
	fmt.Printf("\ntheir ledger, %.0f entries a webhook, %.0f a commit, kept for %d months:\n", a.entries, a.entries*1e6/a.commits, lives)
	all += printBill(a.ledger)
	fmt.Printf("\na million webhooks with their ledger: $%.2f; a million entries: %.3f million write units, $%.3f\n",
		all, a.ledger["wru"]/a.entries/1e6, priceOf(a.ledger)/a.entries)
	return nil
}
