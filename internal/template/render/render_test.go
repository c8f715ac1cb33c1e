package render

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/template"
)

func of(parts map[template.Part]string) template.Template {
	return template.Template{Tenant: "acme", Name: "invoice-paid", Version: 3, Parts: parts}
}

// body renders a body alone.
func body(t *testing.T, source, data string) (string, error) {
	t.Helper()
	c, err := Of(of(map[template.Part]string{template.Body: source}), channel.Slack, jsontext.Value(data))
	return c.Body, err
}

const noZone = `body, line 1: date "2006" .at .zone: date takes a layout, a time, and one zone by its IANA name, such as "Europe/Stockholm"`

func TestWhatTextsAreMade(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ source, data, want string }{
		{"Hi {{.name}}", `{"name":"<Ann> & \"Bob\""}`, `Hi <Ann> & "Bob"`},
		{"{{.a}} {{.b}} {{.c}} {{.d}} {{.e}} {{.f}}",
			`{"a":1000000,"b":1e6,"c":12.50,"d":12345678901234567890,"e":-0,"f":0.00}`, "1000000 1e6 12.50 12345678901234567890 -0 0.00"},
		{"{{.n}}", `{"n":9007199254740993}`, "9007199254740993"},
		{"{{.t}}{{.f}}", `{"t":true,"f":false}`, "truefalse"},
		{"{{range .items}}{{.name}}={{.price}};{{end}}", `{"items":[{"name":"a","price":1.10},{"name":"b","price":2}]}`, "a=1.10;b=2;"},
		{"{{range $i, $e := .items}}{{if $i}}, {{end}}{{$e}}{{else}}none{{end}}", `{"items":["x","y"]}`, "x, y"},
		{"{{range .items}}{{.}}{{else}}none{{end}}", `{"items":[]}`, "none"},
		{"{{range $k, $v := .m}}{{$k}}{{$v}}{{end}}", `{"m":{"b":2,"a":1}}`, "a1b2"},
		{"{{range 3}}x{{end}}", `{}`, "xxx"},
		{"{{.a.b.c}}", `{"a":{"b":{"c":"deep"}}}`, "deep"},
		{"{{if .zero}}yes{{else}}no{{end}}{{if .none}}yes{{else}}no{{end}}{{if .some}}yes{{end}}",
			`{"zero":0.00,"none":0,"some":0.01}`, "nonoyes"},
		{`{{if .null}}yes{{else}}no{{end}}`, `{"null":null}`, "no"},
		{`{{with .customer}}{{.name}}{{end}}`, `{"customer":{"name":"Ann"}}`, "Ann"},
		{`{{if has . "customer" "vat"}}{{.customer.vat}}{{else}}no VAT{{end}}`, `{"customer":{}}`, "no VAT"},
		{`{{optional . "a" "b"}}|{{optional . "a" "b" | default "-"}}|{{default "-" .x}}`, `{"x":null}`, "|-|-"},
		{`{{index .items 1}}{{index .m "first-name"}}`, `{"items":[1,2],"m":{"first-name":"Ann"}}`, "2Ann"},
		{`{{upper .x}}{{lower .x}}{{trim .y}}{{query .z}}`, `{"x":"aB","y":" y ","z":"a b&c"}`, "ABabya+b%26c"},
		{`{{truncate 4 .x}}{{truncate 9 .x}}`, `{"x":"abcdé"}`, "abc…abcdé"},
		{`{{join ", " .x}}`, `{"x":["a",1,2.50,true]}`, "a, 1, 2.50, true"},
		{`{{fixed 2 .x}} {{fixed 0 .y}} {{.x | fixed 1}} {{fixed 2 .z}}`, `{"x":1234.5,"y":0.5,"z":1e3}`, "1234.50 1 1234.5 1000.00"},
		{`{{date "2 January 2006 15:04" .at}}|{{date "Jan 2" .day}}|{{date "2006" .unix}}`,
			`{"at":"2026-07-31T12:00:00+02:00","day":"2026-07-31","unix":0}`, "31 July 2026 12:00|Jul 31|1970"},
		{`{{date "2 Jan 15:04 -0700" .at "Europe/Stockholm"}}|{{date "2 Jan 15:04 MST" .at .zone}}|{{date "2 Jan 15:04" .at "UTC"}}`,
			`{"at":"2026-07-31T22:30:00Z","zone":"America/New_York"}`, "1 Aug 00:30 +0200|31 Jul 18:30 EDT|31 Jul 22:30"},
		{`{{date "2 Jan 15:04" .winter "Europe/Stockholm"}}|{{date "2 Jan" .day "America/Sao_Paulo"}}|{{date "15:04" .unix "Asia/Kolkata"}}`,
			`{"winter":"2026-12-31T23:30:00+05:30","day":"2018-11-04","unix":0}`, "31 Dec 19:00|4 Nov|05:30"},
		{`{{json .x}}`, `{"x":{"b":[1.50,null],"a":"\""}}`, `{"a":"\"","b":[1.50,null]}`},
		{`{{len .a}}{{len .s}}`, `{"a":[1,2],"s":"é"}`, "21"},
		{`{{eq .a 1}}{{eq .b 1.5}}{{eq .c "x"}}{{eq .d true}}{{eq .a "1"}}{{ne .a 2}}{{eq .a 3 1}}`,
			`{"a":1,"b":1.50,"c":"x","d":true}`, "truetruetruetruefalsetruetrue"},
		{`{{gt .a 1}}{{lt .b 1e300}}{{ge .a 2.5}}{{le "a" "b"}}`, `{"a":2.50,"b":12345678901234567890}`, "truetruetruetrue"},
		{`{{and .a (not .b)}}{{or .b "x"}}`, `{"a":true,"b":false}`, "truex"},
		{"{{/* said to nobody */}}a{{- /* */ -}} b", `{}`, "ab"},
		{`{{range .x}}{{if eq . 2}}{{continue}}{{end}}{{if eq . 4}}{{break}}{{end}}{{.}}{{end}}`, `{"x":[1,2,3,4,5]}`, "13"},
		{"line\n", "", "line"},
	} {
		got, err := body(t, test.source, test.data)
		if err != nil || got != test.want {
			t.Errorf("%s of %s: %q, %v; want %q", test.source, test.data, got, err, test.want)
		}
	}
}

func TestFaultsNameWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ source, data, want string }{
		{"a\n{{.name}}", `{}`, "body, line 2: the field .name is missing in the data"},
		{"{{.customer.name}}", `{"customer":{}}`, `body, line 1: the field "name" of .customer.name is missing in the data`},
		{"{{.customer.name}}", `{}`, `body, line 1: the field "customer" of .customer.name is missing in the data`},
		{"{{.customer.name}}", `{"customer":null}`, `body, line 1: .customer.name: what should have "name" is null`},
		{"{{.customer.name}}", `{"customer":"hidden"}`, `body, line 1: .customer.name: what should have "name" is no object`},
		{"{{.customer.name}}", `{"customer":7}`, `body, line 1: .customer.name: what should have "name" is no object`},
		{"{{.customer.name}}", `{"customer":7.5}`, `body, line 1: .customer.name: what should have "name" is no object`},
		{"{{.customer.name}}", `{"customer":[]}`, `body, line 1: .customer.name: what should have "name" is no object`},
		{"{{.name}}", `{"name":null}`, "body, line 1: .name is null"},
		{"{{.name | upper}}", `{"name":null}`, "body, line 1: upper: null is no text"},
		{"{{.name}}", `{"name":{"a":"hidden"}}`, "body, line 1: .name is an object: name a field of it"},
		{"{{.name}}", `{"name":["hidden"]}`, "body, line 1: .name is an array: go through it with range, or join it"},
		{"{{range .items}}{{.sku}}{{end}}", `{"items":[{"sku":"a"},{}]}`, "body, line 1: the field .sku is missing in the data"},
		{"{{range .items}}{{end}}", `{"items":"hidden"}`, "body, line 1: .items: is no array or object, and can't be gone through"},
		{"{{range .items}}{{end}}", `{"items":1.5}`, ""},
		{`{{index .items 2}}`, `{"items":[1,2]}`, "body, line 1: index .items 2: the array has no such entry"},
		{`{{index . .key}}`, `{"key":"hidden"}`, "body, line 1: index . .key: the field is missing in the data"},
		{`{{date "2006" .x}}`, `{"x":"hidden"}`, `body, line 1: date "2006" .x: date takes a time as in RFC 3339 ("2026-07-31T12:00:00Z"), ` +
			`a day ("2026-07-31"), or seconds since 1970`},
		{`{{date "2006" .at .zone}}`, `{"at":0}`, "body, line 1: the field .zone is missing in the data"},
		{`{{date "2006" .at .zone}}`, `{"at":0,"zone":"hidden"}`, noZone},
		{`{{date "2006" .at .zone}}`, `{"at":0,"zone":"Local"}`, noZone},
		{`{{date "2006" .at .zone}}`, `{"at":0,"zone":""}`, noZone},
		{`{{date "2006" .at .zone}}`, `{"at":0,"zone":"../../etc/passwd"}`, noZone},
		{`{{date "2006" .at .zone}}`, `{"at":0,"zone":2}`, noZone},
		{`{{date "2006" .at .zone "UTC"}}`, `{"at":0,"zone":"UTC"}`, strings.Replace(noZone, ".zone", `.zone "UTC"`, 1)},
		{`{{gt .x 1}}`, `{"x":"hidden"}`, "body, line 1: gt .x 1: a text and a number can't be compared"},
		{`{{truncate .x "a"}}`, `{"x":"hidden"}`, `body, line 1: .x: a function is given what it does not take`},
		{`{{upper}}`, `{}`, "body, line 1: upper: wrong number of args for upper: want 1 got 0"},
		{"{{if .x}}{{end}}", `{"x":1}`, "body: makes nothing at all of this data"},
		{"x", `[]`, "data: must be a JSON object with each key once"},
		{"x", `{"a":1,"a":2}`, "data: must be a JSON object with each key once"},
	} {
		got, err := body(t, test.source, test.data)
		if test.want == "" {
			continue
		}
		want := "template invoice-paid@3: " + test.want
		if err == nil || err.Error() != want {
			t.Errorf("%s of %s: %q, %v; want %s", test.source, test.data, got, err, want)
		}
	}
}

func TestTemplatesThatCannotBe(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("{{if 1}}", 101) + strings.Repeat("{{end}}", 101)
	for _, test := range []struct {
		part         template.Part
		source, want string
	}{
		{template.Body, "a\n{{.x", "body, line 2: unclosed action"},
		{template.Body, "{{if .x}}", "body, line 1: unexpected EOF"},
		{template.Body, `{{printf "%s" .x}}`, `body, line 1: function "printf" not defined`},
		{template.Body, `{{call .x}}`, `body, line 1: function "call" not defined`},
		{template.Body, `{{env "HOME"}}`, `body, line 1: function "env" not defined`},
		{template.Body, `{{_step 5}}`, `body, line 1: function "_step" not defined`},
		{template.Body, `{{template "x"}}`, "body, line 1: {{template}}, {{define}} and {{block}} can't be used: a part is one template"},
		{template.Body, `{{define "x"}}{{template "x"}}{{end}}y`, "{{template}}, {{define}} and {{block}} can't be used"},
		{template.Body, `{{block "x" .}}{{end}}`, "{{template}}, {{define}} and {{block}} can't be used"},
		{template.Body, deep, "has more than 100 of if, with and range in one another"},
		{template.HTML, strings.Repeat("{{range .}}", 6) + strings.Repeat("{{end}}", 6), "has more than 5 of range in one another"},
		{template.Body, "{{" + strings.Repeat("(", 20_000), "body, line 1: max expression depth exceeded"},
		{template.HTML, "<p>\n<a href=\"{{if .x}}\">{{end}}", "html, line 2: can't be made safe"},
		{template.HTML, "<p {{.x", "html, line 1: unclosed action"},
		{template.Blocks, `[{"type":"{{if .x}}a"{{else}}b{{end}}}]`, "blocks, line 1: one way through it ends inside a JSON string"},
		{template.Blocks, `[{"type":"{{range .x}}a"{{end}}}]`, "blocks, line 1: one way through it ends inside a JSON string"},
		{template.Blocks, `[{"type":"\{{.x}}"}]`, `blocks, line 1: {{ can't follow a \ in a JSON string`},
		{template.Blocks, `["{{.x}}]`, "blocks, line 1: ends inside a JSON string"},
		{template.Blocks, `[{{range .}}"{{break}}"{{end}}]`, "leaves its loop inside a JSON string"},
		{"nosuch", "x", `there is no part "nosuch", but subject, body, html`},
		{template.SMS, " \n", "sms must not be empty: leave it out"},
		{template.SMS, "\xff", "sms is not valid UTF-8"},
		{template.SMS, strings.Repeat("x", template.MaxSource), "at most 256 KiB together"},
	} {
		parts := map[template.Part]string{template.Body: "x", test.part: test.source}
		if err := Check(of(parts)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %.60s: %v; want %s", test.part, test.source, err, test.want)
		}
	}
	if err := Check(of(map[template.Part]string{template.Subject: "x"})); !errors.Is(err, template.ErrInvalid) {
		t.Error(err)
	}
}

func TestChannelsHaveTheirParts(t *testing.T) {
	t.Parallel()
	all := of(map[template.Part]string{
		template.Subject: "Invoice {{.n}}\n", template.Body: "Paid: {{.n}}\n", template.HTML: "<p>Paid: <b>{{.n}}</b></p>",
		template.SMS: "{{.n}} paid\n", template.Slack: "*{{.n}}* paid", template.Blocks: `[{"type":"section","text":{{json .n}}}]`,
		template.Card: `{"type":"AdaptiveCard","n":{{.n}}}`, template.Embeds: `[{"title":"{{.n}}"}]`,
	})
	least := of(map[template.Part]string{template.HTML: "<p>Paid: <b>{{.n}}</b></p>"})
	raw := func(s string) jsontext.Value { return jsontext.Value(s) }
	for _, test := range []struct {
		template.Template
		on   channel.Name
		want Content
	}{
		{all, channel.Email, Content{Subject: "Invoice 7", Body: "Paid: 7", HTML: "<p>Paid: <b>7</b></p>"}},
		{all, channel.SMS, Content{Body: "7 paid"}},
		{all, channel.Slack, Content{Body: "*7* paid", Content: channel.Content{Blocks: raw(`[{"type":"section","text":"7"}]`)}}},
		{all, channel.Teams, Content{Subject: "Invoice 7", Body: "Paid: 7",
			Content: channel.Content{Card: raw(`{"type":"AdaptiveCard","n":7}`)}}},
		{all, channel.Discord, Content{Subject: "Invoice 7", Body: "Paid: 7", Content: channel.Content{Embeds: raw(`[{"title":"7"}]`)}}},
		{all, channel.Webhook, Content{Subject: "Invoice 7", Body: "Paid: 7", HTML: "<p>Paid: <b>7</b></p>"}},
		{least, channel.Email, Content{Body: "Paid: 7", HTML: "<p>Paid: <b>7</b></p>"}},
		{least, channel.SMS, Content{Body: "Paid: 7"}},
	} {
		got, err := Of(test.Template, test.on, jsontext.Value(`{"n":7}`))
		if err != nil || got.Subject != test.want.Subject || got.Body != test.want.Body || got.HTML != test.want.HTML ||
			string(got.Blocks) != string(test.want.Blocks) || string(got.Card) != string(test.want.Card) ||
			string(got.Embeds) != string(test.want.Embeds) {
			t.Errorf("%s: %+v, %v; want %+v", test.on, got, err, test.want)
		}
	}
}
