package schemas_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
)

var webhookKind = kind{
	required: []string{"url", "secret", "event_type", "body"}, rich: []string{"url", "headers"},
	good: map[string][]string{
		"url": {`"https://hooks.acme.test/in"`, `"http://127.0.0.1:9000/in?a=b"`, `"https://[2001:db8::7]:8443/"`,
			`"https://bücher.example/ä ö"`},
		"secret": {`"efferent/webhooks/acme"`, `"efferent/webhooks/a#key"`,
			`"arn:aws:secretsmanager:eu-north-1:111122223333:secret:efferent/webhooks/acme-AbCdEf#k"`},
		"event_type": {`"invoice.paid"`, `"a b"`, `"Ünïcode"`},
		"body": {`{"a":1}`, `null`, `"text"`, `[1,[2,{"a":{"a":null}}]]`, `{"a":1,"a":2}`, `"\ud800"`, `1e999999`,
			`-0.0e-7`, `""`},
		"id":      {`"evt_1042"`, `"A-z_0"`},
		"tenant":  {`"acme"`, `""`, `"å"`},
		"headers": {`{}`, `{"X-Tenant":"acme"}`, `{"x-a":"","Authorization":"Bearer a\tb","x-webhooks":"é"}`},
		"retry":   {`"seed"`, `""`, `"nobody knows"`},
		"timeout": {`"15s"`, `"2.5s"`, `"2500ms"`, `"20s"`, `"1s"`},
	},
	near: map[string]func(*rand.Rand) string{
		"id": nearID, "tenant": nearTenant, "url": nearURL, "secret": nearSecret, "headers": nearHeaders, "timeout": nearTimeout,
		"event_type": func(r *rand.Rand) string {
			return quote(pick(r, []string{strange(r, "invoice.paid"), long(r, pick(r, []string{"a", "é", "😀"}), 256)}))
		},
		"body":  func(r *rand.Rand) string { return pick(r, append(oddValues, odd(r), nearHeaders(r))) },
		"retry": odd,
	},
}

var notificationKind = kind{
	required: []string{"channel", "recipient", "body"},
	rich:     []string{"list_unsubscribe", "fallback", "recipient", "attachments", "headers", "cc", "reply_to", "blocks", "card", "embeds"},
	good: map[string][]string{
		"id":        {`"n_7"`},
		"channel":   {`"email"`, `"slack"`, `"sms"`, `"email"`, `"slack"`, `"teams"`, `"discord"`, `"webhook"`},
		"recipient": {`"ann@acme.test"`, `"nobody"`, `"+46701234567"`, `["ann@acme.test"]`},
		"each":      {`true`, `false`},
		"html":      {`"<p>It is <b>paid</b>."`},
		"cc":        {`[]`, `["bob@acme.test","Bo B <b@acme.test>"]`},
		"bcc":       {`["\"Eve, E\" <eve@acme.test>"]`},
		"reply_to":  {`"help@acme.test"`, `"Hjälp <help@acme.test>"`},
		"headers":   {`{}`, `{"X-Campaign":"a b","REFERENCES":"<a@b>"}`},
		"attachments": {`[]`,
			`[{"name":"a.pdf","content":"SGVs\r\nbG8=","content_id":"logo"},{"s3":"acme-files/a/b.pdf","type":"text/plain; charset=utf-8"}]`},
		"blocks":              {`[{"type":"divider"},{"type":"x","a":[{"b":1}]}]`},
		"card":                {`{"type":"AdaptiveCard","body":[]}`},
		"embeds":              {`[{}]`, `[{"title":"a"}]`},
		"body":                {`"It is paid."`, `"a\nb\u0000"`},
		"subject":             {`"Invoice"`, `""`},
		"recipients":          {`{}`, `{"slack":"C0123"}`, `{"email":"","sms":"é"}`},
		"fallback":            {`[]`},
		"fallback_on_opt_out": {`true`, `false`},
		"tenant":              {`"acme"`, `""`},
		"retry":               {`"seed"`, `"patient"`, `""`},
		"deadline":            {`"1s"`, `"90s"`, `"15m"`, `"24h"`, `"86400s"`, `"1440m"`},
		"thread":              {`"n_6"`, `"n_7"`},
		"topic":               {`"invoice.paid"`, `"a"`},
		"update":              {`"n_6"`},
		"list_unsubscribe":    {`"https://acme.test/out?u=7"`, `"mailto:out@acme.test?subject=out"`},
	},
	near: map[string]func(*rand.Rand) string{
		"id": nearID, "tenant": nearTenant, "list_unsubscribe": nearUnsubscribe, "recipients": nearRecipients,
		"fallback": nearFallback, "recipient": nearRecipient, "cc": nearMailboxes, "bcc": nearMailboxes, "reply_to": nearMailbox,
		"headers": nearMailHeaders, "attachments": nearAttachments, "blocks": nearBlocks, "embeds": nearBlocks, "card": nearCard,
		"thread": nearID, "update": nearID, "html": odd, "to": nearTo, "topic": nearTypes,
		"each": func(r *rand.Rand) string { return pick(r, oddValues) },
		"channel": func(r *rand.Rand) string {
			return pick(r, []string{`"Email"`, `"e-mail"`, `"sms "`, `"slack"`, `"sms"`, `"teams"`, `"discord"`, `"webhook"`, odd(r)})
		},
		"retry": odd, "deadline": nearDeadline,
		"subject": func(r *rand.Rand) string { return quote(strange(r, pick(r, []string{"", "Invoice"}))) },
		"body": func(r *rand.Rand) string {
			if r.IntN(200) == 0 {
				return quote(strings.Repeat("a", 1<<20-60+r.IntN(120)))
			}
			return odd(r)
		},
		"fallback_on_opt_out": func(r *rand.Rand) string { return pick(r, oddValues) },
	},
}

// lookedUpKind are notifications to those who are looked up.
var lookedUpKind = kind{
	required: []string{"to", "body"}, rich: []string{"to", "topic", "channel"}, near: notificationKind.near,
	good: func() map[string][]string {
		good := maps.Clone(notificationKind.good)
		delete(good, "recipient")
		delete(good, "each")
		good["to"] = []string{`"user_7"`, `["user_7"]`, `["a@b.test","_8"]`}
		return good
	}(),
}

func nearTo(r *rand.Rand) string {
	switch r.IntN(10) {
	case 0:
		return many(r, func(i int) string { return quote(fmt.Sprint("user_", i)) })
	case 1, 2, 3:
		return quote(pick(r, []string{strange(r, "user_7"), long(r, "a", 128), "", ".a", "-a", "_", "a/b", "ä", "a b", "a@b", "A.-_@"}))
	}
	return several(r, func() string {
		return pick(r, []string{`"user_7"`, `"user_8"`, `"us\u0065r_8"`, `""`, odd(r), pick(r, oddValues)})
	})
}

func nearID(r *rand.Rand) string {
	return quote(pick(r, []string{strange(r, "evt_1042"), long(r, "a", 128), "", "evt.1042", "evt:1042", "ä"}))
}

func nearTenant(r *rand.Rand) string {
	return quote(pick(r, []string{strange(r, "acme"), long(r, "a", 128), long(r, "é", 128), long(r, "😀", 128), " a "}))
}

func nearTimeout(r *rand.Rand) string {
	number := pick(r, []string{"0", "1", "01", "9", "10", "15", "19", "20", "21", "100", "999", "1000", "2500",
		"19999", "20000", "20001", "-5", "+5", ""})
	fraction := pick(r, []string{"", "", "", ".", ".0", ".5", ".000000000", ".000000001", ".9999999999"})
	unit := pick(r, []string{"s", "s", "ms", "ms", "us", "µs", "m", "h", "S", "", "s ", "s500ms", " s"})
	return quote(number + fraction + unit)
}

func nearDeadline(r *rand.Rand) string {
	number := pick(r, []string{"0", "1", "01", "9", "10", "23", "24", "25", "1439", "1440", "1441", "86399", "86400", "86401", "90000",
		"99999", "100000", "-5", "+5", "1.5", ""})
	return quote(number + pick(r, []string{"s", "s", "m", "m", "h", "h", "ms", "d", "S", "", "s ", "s500ms", "m0s"}))
}

func nearSecret(r *rand.Rand) string {
	prefix := pick(r, []string{"", "", "", "arn:aws:secretsmanager:eu-north-1:111122223333:secret:",
		"arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:",
		"arn:aws:secretsmanager:eu-north-1:1111:secret:", "arn:aws:secretsmanager::111122223333:secret:",
		"arn:aws:kms:a:111122223333:secret:",
		"arn::secretsmanager:a:111122223333:secret:", "arn:aws:secretsmanager:a:111122223333:",
		"ARN:aws:secretsmanager:a:111122223333:secret:"})
	name := pick(r, []string{"efferent/webhooks/acme", "efferent/webhooks/", "efferent/webhooks",
		"prod/efferent/webhooks/a", "Efferent/webhooks/a",
		"efferent/webhooks/a/b_+=.@-", "efferent/webhooks//", "efferent/webhooks/a:b", "efferent/webhooks/" + long(r,
			"a", 2030), "whsec_MfKQ9r8GKYqrTwjU"})
	key := pick(r, []string{"", "", "", "#", "#k", "#k#l", "# ", "#é", "#" + long(r, "é", 2000)})
	if r.IntN(3) == 0 {
		return quote(strange(r, prefix+name+key))
	}
	return quote(prefix + name + key)
}

func nearURL(r *rand.Rand) string {
	scheme := pick(r, []string{"https://", "https://", "https://", "http://", "HTTPS://", "hTTp://", "ftp://",
		"https:", "https:/", "https:///", "//",
		"", "https//", "https:://", "httpss://", "x-https://"})
	host := pick(r, []string{"hooks.acme.test", "a", "127.0.0.1", "1", "-", "..", "_a_", "[::1]", "[2001:db8::7]",
		"[::ffff:1.2.3.4]", "[1:2:3:4:5:6:7:8]",
		"[1:2:3:4:5:6:7::]", "[::1%25eth0]", "[fe80::1%eth0]", "[1::2::3]", "[12345::]", "[::256.1.1.1]", "[::01.2.3.4]",
		"[a.b]", "[]", "[::1", "::1", "::1]", "",
		"bücher.example", "例え.テスト", "b%C3%BCcher.example", "a%41", "a%2Fb", "a%ffb", "exa\u00admple", "\u00ad",
		"ｅｘ．example", "xn--bcher-kva.example", "xn--a",
		"ä..b", "-ä-", "a b", "a_ä", "user@host", ":p@host", "@host", "user:p@ss@host", "a!b", "a*b", "a,b", "a;b", "a'b",
		"a(b)", "a+b", "a=b", "a$b", "a&b", "a~b",
		"a\"b", "a<b", "a{b", "a\\b", "a^b", "a|b", "a`b", "[::]a", "a[::]", nearIPv6(r), nearIPv6(r),
		strings.Repeat("a", 250+r.IntN(8)),
		strings.Repeat("ä", 60+r.IntN(8)), strings.Repeat("ä.", 120+r.IntN(10))})
	port := pick(r, []string{"", "", "", "", ":", ":80", ":0", ":00", ":0443", ":65535", ":65536", ":99999", ":655350",
		":-1", ":+1", ":a", ":80:80", ":８0",
		":000000000000000000000000000000001", ":99999999999999999999"})
	rest := pick(r, []string{"", "", "/", "/in", "/in?a=b", "?a=b", "/a b", "/ä?ö", "/%41", "/%4", "/%", "/%zz", "?%",
		"?%20", "/#a", "#a", "/a?b?c/d:e@f", "/a//b/../c",
		"/[x]", "/\\", "/\u0085", "/\u2028", "/\U0001f600", "/ ", "/a\u00a0", "/" + long(r, "a", 8150), "/" + long(r,
			"é", 8150), "/" + long(r, "|", 8100),
		"/" + long(r, "😀", 8150)})
	if r.IntN(4) == 0 {
		return quote(strange(r, scheme+host+port+rest))
	}
	return quote(scheme + host + port + rest)
}

// nearIPv6 is an address in brackets, or nearly one.
func nearIPv6(r *rand.Rand) string {
	var b strings.Builder
	groups := r.IntN(10)
	for i := range groups {
		b.WriteString(pick(r, []string{"0", "1", "db8", "FFFF", "00a1", "", ""}))
		if i < groups-1 || r.IntN(4) == 0 {
			b.WriteString(":")
		}
	}
	if r.IntN(3) == 0 {
		b.WriteString(pick(r, []string{":", "1.2.3.4", "1.2.3", "01.2.3.4", "255.255.255.255", "256.0.0.1", "12345", "g"}))
	}
	return "[" + b.String() + "]"
}

func nearHeaders(r *rand.Rand) string {
	names := []string{"X-A", "x-a", "X-Tenant", "Authorization", "Host", "hOST", "Content-Type", "CONTENT-x",
		"content", "Webhook-Id", "x-webhook-event",
		"X-Webhook", "X-Webhooks-A", "Proxy-A", "Proxy", "Connection", "Connections", "Keep-Alive", "TE", "te-a",
		"Trailer", "Trailers", "Transfer-Encoding",
		"Upgrade", "Expect", "HTTP2-Settings", "", "a b", "a:", "é", "a\x00", "!#$%&'*+-.^_`|~", "(", "[", "\u017f",
		"K-A", "X\u212a", "a\n"}
	values := []string{"b", "", " ", "\t", "a\tb", "a\r\nb", "\x00", "é", "\u0085", "\u2028", "😀", "\x7f"}
	if r.IntN(3) == 0 {
		names = []string{"X-A", "x-a", "X-Tenant", "X-TENANT"}
	}
	var all []string
	for range r.IntN(4) {
		value := quote(pick(r, values))
		if r.IntN(12) == 0 {
			value = pick(r, oddValues)
		}
		all = append(all, quote(pick(r, names))+":"+value)
	}
	return "{" + strings.Join(all, ",") + "}"
}

func nearRecipients(r *rand.Rand) string {
	var all []string
	for range r.IntN(3) {
		all = append(all, fmt.Sprintf("%s:%s", pick(r, []string{`"email"`, `"slack"`, `"sms"`, `"teams"`, `"SMS"`, `""`, `"s\u006ds"`, `"fax"`}),
			pick(r, []string{`"a"`, `""`, `"é\n"`, "null", "1", `["a"]`, `"\ud800"`})))
	}
	return "{" + strings.Join(all, ",") + "}"
}

func nearFallback(r *rand.Rand) string {
	var all []string
	for range r.IntN(4) {
		all = append(all, pick(r, []string{`"email"`, `"slack"`, `"sms"`, `"teams"`, `"discord"`, `"webhook"`, `"s\u006ds"`,
			`"Sms"`, `""`, "null", "1", `["sms"]`, `"\ud800"`}))
	}
	return "[" + strings.Join(all, ",") + "]"
}

func nearUnsubscribe(r *rand.Rand) string {
	return quote(pick(r, []string{
		strange(r, "https://acme.test/out?u=7"), strange(r, "mailto:out@acme.test"), "https://", "https:///", "HTTPS://A",
		"http://acme.test", "mailto:",
		"mailto:?subject=a", "mailto:/a", "mailto:#", "https://u@h/", "https://[::1]:80/", "https://[::1", "https://h:",
		"https://h:80", "https://h:123456", "https://h#/a",
		"https://h/%4", "mailto:a%", "mailto:%20", "mailto:a%20b,c", "https://h/" + long(r, "a", 985), "mailto:" + long(r, "a", 988),
	}))
}

func nearMailbox(r *rand.Rand) string {
	return quote(pick(r, []string{
		"ann@acme.test", "Ann <ann@acme.test>", "<ann@acme.test>", "ann", "ann@", "@acme.test", "ann@acme.test, bob@acme.test", "a: b@c;",
		"\"a b\"@acme.test", "ann@bücher.test", "Ann\r\n <ann@acme.test>", strange(r, "ann@acme.test"), strange(r, "Ann <ann@acme.test>"),
		long(r, "a", 200) + "@acme.test", long(r, "é", 300) + " <ann@acme.test>", "",
	}))
}

func nearMailboxes(r *rand.Rand) string {
	if r.IntN(20) == 0 {
		return many(r, func(i int) string { return quote(fmt.Sprintf("u%d@acme.test", i)) })
	}
	return several(r, func() string {
		return pick(r, []string{nearMailbox(r), nearMailbox(r), `"bob@acme.test"`, `"b\u006fb@acme.test"`, pick(r, oddValues)})
	})
}

func nearRecipient(r *rand.Rand) string {
	switch r.IntN(10) {
	case 0:
		return many(r, func(i int) string { return quote(fmt.Sprintf("u%d@acme.test", i)) })
	case 1, 2, 3:
		return odd(r)
	}
	return several(r, func() string {
		return pick(r, []string{`"ann@acme.test"`, `"bob"`, `"carol"`, `"b\u006fb"`, `""`, odd(r), pick(r, oddValues)})
	})
}

// many is an array of about as many as are allowed.
func many(r *rand.Rand, one func(i int) string) string {
	var all []string
	for i := range 47 + r.IntN(6) {
		all = append(all, one(i))
	}
	return "[" + strings.Join(all, ",") + "]"
}

func several(r *rand.Rand, one func() string) string {
	var all []string
	for range r.IntN(4) {
		all = append(all, one())
	}
	return "[" + strings.Join(all, ",") + "]"
}

func nearMailHeaders(r *rand.Rand) string {
	names := []string{"X-A", "x-a", "X-Campaign", "X-", "X-SES-TAGS", "x-ses", "X-Ses-", "X-SESSION", "Subject", "From", "Bcc",
		"DKIM-Signature",
		"references", "IN-REPLY-TO", "Precedence", "precedence", "List-Unsubscribe", "List-Id", "Feedback-ID", "feedbac\u212a-id", "X-a b",
		"X-a:",
		"X-é", "X-" + long(r, "a", 60), "\u017fensitivity", "Importance\n", "", "Content-Type", "MIME-Version", "Auto-Submitted"}
	values := []string{"b", "", " ", "a b", " a", "a ", "a\r\nb", "é", "\x7f", long(r, "a", 870), long(r, "a ", 870)}
	var all []string
	if r.IntN(8) == 0 {
		return pick(r, []string{`{"X-A":"b","x-a":"c"}`, `{"References":"<a@b>","REFERENCES":"<a@b>"}`})
	}
	for i := range pick(r, []int{0, 1, 1, 2, 3, 9 + r.IntN(4)}) {
		name, value := pick(r, names), quote(pick(r, values))
		if i > 3 {
			name, value = fmt.Sprint("X-", i), `"a"`
		}
		if r.IntN(12) == 0 {
			value = pick(r, oddValues)
		}
		all = append(all, quote(name)+":"+value)
	}
	return "{" + strings.Join(all, ",") + "}"
}

func nearAttachments(r *rand.Rand) string {
	members := map[string][]string{
		"name": {"a.pdf", "", "a/b", `a\b`, "å b.txt", "a\nb", long(r, "a", 255), long(r, "é", 255)},
		"type": {"application/pdf", "text/plain; charset=utf-8", "text/plain;", "text/plain; a", "text", "multipart/mixed", "Message/RFC822",
			"a/b;c=\"d",
			"multiparts/x", "", "a b/c", "a/b; c=d; c=e"},
		"content": {"SGVsbG8=", "SGVs\nbG8=", "SGVsbG8", "=", "", "SGVs!", "SGV=sbG8=", "\n"},
		"s3": {"acme-files/a.pdf", "acme-files/", "acme-files", "Acme/a", "a/b", "acme-files/a\nb", "acme-files/å",
			"acme-files/" + long(r, "a", 1077), "acme-files/a\\b"},
		"content_id": {"logo", "logo", "", "a b", "<a>", "a@b"},
		"path":       {"/etc/passwd"},
	}
	names := []string{"name", "type", "content", "s3", "content_id", "content", "name", "path"}
	if r.IntN(15) == 0 {
		return many(r, func(int) string { return `{"s3":"acme-files/a"}` })
	}
	if r.IntN(10) == 0 {
		return `[{"s3":"acme-files/a","content_id":"logo"},{"s3":"acme-files/b","content_id":"` + pick(r, []string{"logo", "Logo"}) + `"}]`
	}
	return several(r, func() string {
		var all []string
		for range r.IntN(5) {
			name := pick(r, names)
			value := quote(pick(r, members[name][:1+r.IntN(len(members[name]))]))
			if r.IntN(15) == 0 {
				value = pick(r, oddValues)
			}
			all = append(all, quote(name)+":"+value)
		}
		return "{" + strings.Join(all, ",") + "}"
	})
}

func nearBlocks(r *rand.Rand) string {
	if r.IntN(15) == 0 {
		return many(r, func(int) string { return `{"type":"divider"}` })
	}
	return several(r, func() string {
		return pick(r, []string{`{"type":"divider"}`, `{"type":1}`, `{}`, `{"type":"a","type":"b"}`, `{"type":"a","b":[{"c":1,"c":2}]}`,
			`{"Type":"a"}`,
			`{"type":"\ud800"}`, pick(r, oddValues)})
	})
}

func nearCard(r *rand.Rand) string {
	return pick(r, []string{`{"type":"AdaptiveCard"}`, `{"type":"adaptiveCard"}`, `{"type":"AdaptiveCard","a":{"b":1,"b":2}}`,
		`{"type":null}`, `{}`,
		`{"type":"Adaptive\u0043ard"}`, pick(r, oddValues)})
}
