package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// shortAnswer is what an endpoint says that refuses.
const shortAnswer = `{"error":"no_such_endpoint","message":"There is nothing at this address any more. ` +
	`See https://hooks.example.com/docs/errors for what that means, and whom to ask."}`

// fates are put beside the first. SQS hands a message to whichever instance asks:
// one that has not seen it die reads its attempts. What is answered 503 has an
// endpoint of its own each, which its four attempts do not make a circuit open for;
// or is one in ten of the messages to endpoints that work.
var fates = []fate{
	{name: "delivered", status: http.StatusOK},
	{name: "404", status: http.StatusNotFound, text: shortAnswer},
	{name: "404, 4 KiB", status: http.StatusNotFound, text: longAnswer},
	{name: "404, 10 inst.", status: http.StatusNotFound, text: shortAnswer, instances: 10},
	{name: "503", status: http.StatusServiceUnavailable, text: shortAnswer, alone: true},
	{name: "503, 10 inst.", status: http.StatusServiceUnavailable, text: shortAnswer, instances: 10, alone: true},
	{name: "503, 1 in 10", status: http.StatusServiceUnavailable, text: shortAnswer, oneIn: 10},
}

// failing prints what webhooks cost that end in the dead-letter queue.
func failing(ctx context.Context, batch int) error {
	n := 1000 * batch
	accounts := make([]account, len(fates))
	for i, f := range fates {
		var err error
		if accounts[i], err = f.price(ctx, max(n, 2000), batch); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	fmt.Printf("\na million webhooks that fail, in batches of %d: answered 404 with %d bytes and with 4 KiB, 503 until exhausted\n"+
		"(4 attempts), each at an endpoint of its own or one in ten of those to 1,000 endpoints; "+
		"by one instance, and by any of ten:\n\n%-36s", batch, len(shortAnswer), "")
	row := func(name string, of func(account) string) {
		fmt.Printf("%-36s", name)
		for _, a := range accounts {
			fmt.Printf(" %14s", of(a))
		}
		fmt.Println()
	}
	for _, f := range fates {
		fmt.Printf(" %14s", f.name)
	}
	fmt.Println()
	for _, name := range order {
		if !slices.ContainsFunc(accounts, func(a account) bool { return priceOfOne(a.sent, name) > 0.01 }) {
			continue
		}
		row(prices[name].what, func(a account) string { return fmt.Sprintf("%.4g", a.sent[name]) })
		row("", func(a account) string { return fmt.Sprintf("$%.3f", priceOfOne(a.sent, name)) })
	}
	row("of which circuits", func(a account) string { return fmt.Sprintf("$%.3f", priceOf(a.circuits)) })
	row("their ledger", func(a account) string { return fmt.Sprintf("$%.3f", priceOf(a.ledger)) })
	row("in all", func(a account) string { return fmt.Sprintf("$%.2f", a.total()) })
	delivery := accounts[0].total()
	alone := func(a account) float64 { return (a.total() - a.besides*delivery) / (1 - a.besides) }
	row("a million of what fails", func(a account) string { return fmt.Sprintf("$%.2f", alone(a)) })
	row("beside a delivery", func(a account) string { return fmt.Sprintf("%.2fx", alone(a)/delivery) })
	return nil
}
