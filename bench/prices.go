package main

import (
	"fmt"
	"maps"
	"sync"
	"time"
)

// price is what AWS asks for, in US dollars.
type price struct {
	what string
	per  float64 // how many
	cost float64
}

// prices are AWS's list prices in us-east-1, without the free tier, as of
// November 2026 ("Amazon SQS pricing", "AWS Lambda pricing", "Amazon DynamoDB
// pricing", "Amazon S3 pricing", "AWS Key Management Service pricing", "AWS
// Secrets Manager pricing", "Amazon CloudWatch pricing").
var prices = map[string]price{
	"sqs":      {"SQS requests, standard (64 KiB each)", 1e6, 0.40},
	"fifo":     {"SQS requests, FIFO (64 KiB each)", 1e6, 0.50},
	"invoke":   {"Lambda invocations", 1e6, 0.20},
	"gbs":      {"Lambda GB-seconds, arm64", 1, 0.0000133334},
	"wru":      {"DynamoDB write units, on demand", 1e6, 0.625},
	"rru":      {"DynamoDB read units, on demand", 1e6, 0.125},
	"storage":  {"DynamoDB GB-months", 1, 0.25},
	"s3put":    {"S3 PUT and LIST requests", 1e6, 5},
	"s3get":    {"S3 GET requests", 1e6, 0.40},
	"s3gb":     {"S3 GB-months", 1, 0.023},
	"sign":     {"KMS signatures, Ed25519", 10_000, 0.15},
	"kmskey":   {"keys of KMS, a month", 1, 1},
	"secret":   {"secrets, a month", 1, 0.40},
	"secretop": {"Secrets Manager requests", 10_000, 0.05},
	"logs":     {"log GB taken in", 1, 0.50},
	"alarm":    {"alarms, a month", 1, 0.10},
}

// order is how a bill is printed.
var order = []string{"sqs", "fifo", "invoke", "gbs", "logs", "wru", "rru", "storage", "s3put", "s3get", "s3gb", "sign", "kmskey",
	"secretop", "secret", "alarm"}

const (
	memoryGB = 0.25
	// answer is how long an endpoint takes, and call how long AWS does for a
	// request, in seconds: Lambda bills that time too.
	answer, call = 0.1, 0.01
	gb           = 1 << 30
	month        = 304 * 24 * time.Hour / 10
)

// bill counts what is used. It counts one invocation at a time.
type bill struct {
	mu   sync.Mutex
	used map[string]float64
	// steps are the requests of an invocation that it waits for one after the
	// other: those of one kind are made side by side, but for sends. all are all.
	steps map[string]bool
	all   int
}

func newBill() *bill { return &bill{used: map[string]float64{}, steps: map[string]bool{}} }

func (b *bill) add(what string, n float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used[what] += n
}

// step is a request of an invocation.
func (b *bill) step(kind string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all++
	if kind == "send" {
		kind += fmt.Sprint(b.all)
	}
	b.steps[kind] = true
}

// invoked ends an invocation that took seconds besides its requests, of which it
// made so many at a time, or each kind at once where that is 0. Lambda itself logs
// nothing of one that went well: the functions' SystemLogLevel is WARN.
func (b *bill) invoked(seconds float64, atOnce int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	waits := float64(len(b.steps))
	if atOnce > 0 {
		waits = float64(b.all) / float64(atOnce)
	}
	b.used["invoke"]++
	b.used["gbs"] += (seconds + call*waits) * memoryGB
	b.all = 0
	clear(b.steps)
}

// waited ends what an invocation of another bill asked for on this one.
func (b *bill) waited() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used["gbs"] += call * float64(len(b.steps)) * memoryGB
	b.all = 0
	clear(b.steps)
}

// Write takes log lines.
func (b *bill) Write(line []byte) (int, error) {
	b.add("logs", float64(len(line))/gb)
	return len(line), nil
}

// times is the bill of so many times as much.
func (b *bill) times(n float64) map[string]float64 {
	used := maps.Clone(b.used)
	for name := range used {
		used[name] *= n
	}
	return used
}

// sum is what is used on all of them.
func sum(all ...map[string]float64) map[string]float64 {
	used := map[string]float64{}
	for _, one := range all {
		for name, n := range one {
			used[name] += n
		}
	}
	return used
}

// priceOf is what all of it costs.
func priceOf(used map[string]float64) (total float64) {
	for name := range used {
		total += priceOfOne(used, name)
	}
	return total
}

func priceOfOne(used map[string]float64, name string) float64 {
	return used[name] / prices[name].per * prices[name].cost
}

// printBill shows what is used, and returns what it costs.
func printBill(used map[string]float64) float64 {
	for _, name := range order {
		if used[name] != 0 {
			fmt.Printf("  %-40s %12.4g  $%.3f\n", prices[name].what, used[name], priceOfOne(used, name))
		}
	}
	total := priceOf(used)
	fmt.Printf("  %-40s %12s  $%.2f\n", "in all", "", total)
	return total
}
