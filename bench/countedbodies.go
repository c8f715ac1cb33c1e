package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// bodySize is that of every body, in bytes.
const bodySize = 1024

// invoice is what the i-th webhook says: JSON like that of a shop, of 1 KiB.
func invoice(i int) string {
	r := rand.New(rand.NewPCG(1, uint64(i)))
	b := fmt.Sprintf(`{"invoice":{"id":"in_%016x","number":"INV-%06d","currency":"EUR","status":"paid","total":%d,"paid_at":`+
		`"2026-11-%02dT%02d:%02d:%02dZ"},"customer":{"id":"cus_%016x","name":%q,"email":"%s@example.com","country":"DE","vat_id":"DE%09d"},`+
		`"lines":[`, r.Uint64(), i, r.IntN(1e6), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), r.Uint64(), words(r, 2), words(r, 1),
		r.IntN(1e9))
	const end = `],"note":""}`
	for line := 0; ; line++ {
		next := fmt.Sprintf(`{"sku":"%s-%04d","description":%q,"quantity":%d,"unit_price":%d}`,
			strings.ToUpper(words(r, 1)[:3]), r.IntN(1e4), words(r, 3), 1+r.IntN(20), r.IntN(1e5))
		if line > 0 {
			next = "," + next
		}
		if len(b)+len(next)+len(end) > bodySize {
			rest := bodySize - len(b) - len(end)
			return b + end[:len(end)-2] + (words(r, 40) + strings.Repeat(".", rest))[:rest] + end[len(end)-2:]
		}
		b += next
	}
}

// words are so many of a shop's.
func words(r *rand.Rand, n int) string {
	all := strings.Fields("amber anchor basket beacon bottle bridge candle carbon cotton desk ember fabric garden hammer harbour " +
		"island jacket kettle ladder lantern maple mirror nickel orchard paper pepper quilt river saddle silver socket table " +
		"timber tunnel velvet window winter wrench yellow zipper")
	some := make([]string, n)
	for i := range some {
		some[i] = all[r.IntN(len(all))]
	}
	return strings.Join(some, " ")
}

// sealed is a body of 1 KiB that can't be compressed, as one that is encrypted.
func sealed(i int) string {
	r := rand.New(rand.NewPCG(2, uint64(i)))
	b := make([]byte, 760)
	for k := range b {
		b[k] = byte(r.Uint32())
	}
	text := base64.StdEncoding.EncodeToString(b)
	return `{"sealed":"` + text[:bodySize-len(`{"sealed":""}`)] + `"}`
}

// answers of endpoints that refuse: one that is short, and one of 4 KiB, as a
// framework's page.
var longAnswer = "<!doctype html><title>Error</title><pre>" + strings.Repeat("at handle (/srv/app/router.js:1024:17)\n", 105)[:4<<10-40]

// webhookText is a message.
func webhookText(id, url, body string) string {
	b, err := json.Marshal(map[string]any{"id": id, "url": url, "secret": secretName, "event_type": "invoice.paid", "tenant": "acme",
		"body": json.RawMessage(body)})
	if err != nil {
		panic(err)
	}
	return string(b)
}
