package schemas_test

import (
	"math/rand/v2"
	"testing"
)

// templated are notifications that a template makes.
func templated(t testing.TB) *contract {
	c := notifications(t)
	c.kind = &templatedKind
	return c
}

var templatedKind = kind{
	required: []string{"channel", "recipient", "template"}, rich: []string{"template", "data"},
	good: map[string][]string{
		"channel": notificationKind.good["channel"], "recipient": {`"ann@acme.test"`}, "id": notificationKind.good["id"],
		"tenant":   notificationKind.good["tenant"],
		"template": {`"invoice-paid"`, `"invoice-paid@3"`, `"0"`, `"A_b.c-D@999999999"`},
		"data":     {`{}`, `{"name":"Ann","amount":1e6,"items":[{"a":null}]}`},
	},
	near: map[string]func(*rand.Rand) string{
		"template": func(r *rand.Rand) string {
			name := pick(r, []string{"invoice-paid", "a", long(r, "a", 64), "", "_a", "-", "a b", "é"})
			return quote(name + pick(r, []string{"", "@", "@1", "@0", "@01", "@+1", "@-1", "@1234567890", "@123456789", "@1@2", "@a", "@1 "}))
		},
		"data": func(r *rand.Rand) string {
			return pick(r, append(oddValues, `{"a":1,"a":2}`, `{"a":"\ud800"}`, `{"a":{"b":1,"b":1}}`, nearMailHeaders(r)))
		},
		"channel": notificationKind.near["channel"], "recipient": nearRecipient, "id": nearID, "tenant": nearTenant,
		"subject": odd, "body": odd, "html": odd, "blocks": nearBlocks, "card": nearCard, "embeds": nearBlocks,
	},
}
