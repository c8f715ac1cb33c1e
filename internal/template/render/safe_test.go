package render

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/template"
)

func TestHTMLIsEscapedWhereItStands(t *testing.T) {
	t.Parallel()
	const evil = `{"x":"\"'><script>alert(1)</script>","u":"javascript:alert(1)","d":"data:text/html,<script>","n":12.50,"l":["<b>"]}`
	for _, test := range []struct{ source, want string }{
		{`<p>{{.x}}</p>`, `<p>&#34;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;</p>`},
		{`<p title="{{.x}}">`, `<p title="&#34;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;">`},
		{`<p title='{{.x}}'>`, `<p title='&#34;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;'>`},
		{`<p title={{.x}}>`, `<p title=&#34;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;>`},
		{`<a href="{{.u}}">`, `<a href="#ZgotmplZ">`},
		{`<a href="{{.d}}">`, `<a href="#ZgotmplZ">`},
		{`<img src="{{.u}}">`, `<img src="#ZgotmplZ">`},
		{`<a href="https://acme.test/?q={{.x}}">`, `<a href="https://acme.test/?q=%22%27%3e%3cscript%3ealert%281%29%3c%2fscript%3e">`},
		{`<a onclick="f({{.x}})">`, `<a onclick="f(&#34;\&#34;&#39;\u003e\u003cscript\u003ealert(1)\u003c/script\u003e&#34;)">`},
		{`<script>f({{.x}})</script>`, `<script>f("\"'\u003e\u003cscript\u003ealert(1)\u003c/script\u003e")</script>`},
		{`<p style="color: {{.x}}">`, `<p style="color: ZgotmplZ">`},
		{`<p>{{.n}}</p>`, `<p>12.50</p>`},
		{`{{range .l}}<i>{{.}}</i>{{end}}`, `<i>&lt;b&gt;</i>`},
		{`<p title="{{range .l}}{{.}}{{end}}">`, `<p title="&lt;b&gt;">`},
		{`<script>var a = [{{range .l}}{{.}},{{end}}]</script>`, `<script>var a = ["\u003cb\u003e",]</script>`},
		{`<p>{{.x | upper | lower}}</p>`, `<p>&#34;&#39;&gt;&lt;script&gt;alert(1)&lt;/script&gt;</p>`},
		{`<p>{{json .l}}</p>`, `<p>[&#34;&lt;b&gt;&#34;]</p>`},
		{`<!-- {{.x}} --><p>`, `<p>`},
	} {
		c, err := Of(of(map[template.Part]string{template.HTML: test.source, template.Body: "x"}), channel.Email, jsontext.Value(evil))
		if got := strings.ReplaceAll(c.HTML, `\/`, `/`); err != nil || got != test.want {
			t.Errorf("%s: %s, %v; want %s", test.source, c.HTML, err, test.want)
		}
	}
}

func TestJSONKeepsItsShape(t *testing.T) {
	t.Parallel()
	const data = `{"x":"\"},{\"type\":\"evil\",\"a\":\"\\\n\u2028</script>","n":12.50,"o":{"b":[1,null]},"l":["a","b"],"none":null}`
	for _, test := range []struct{ source, want string }{
		{`[{"type":"section","text":"{{.x}}"}]`, `[{"type":"section","text":"\"},{\"type\":\"evil\",\"a\":\"\\\n` + "\u2028" + `</script>"}]`},
		{`[{"type":"section","text":{{.x}}}]`, `[{"type":"section","text":"\"},{\"type\":\"evil\",\"a\":\"\\\n` + "\u2028" + `</script>"}]`},
		{`[{"type":"a","{{.x}}":{{.n}}}]`, `[{"type":"a","\"},{\"type\":\"evil\",\"a\":\"\\\n` + "\u2028" + `</script>":12.50}]`},
		{`[{"type":"a","o":{{.o}},"n":"{{.n}}","z":{{.none}}}]`, `[{"type":"a","o":{"b":[1,null]},"n":"12.50","z":null}]`},
		{`[{{range $i, $e := .l}}{{if $i}},{{end}}{"type":"{{$e}}"}{{end}}]`, `[{"type":"a"},{"type":"b"}]`},
		{`[{"type":"a\"{{.n}}\\"}]`, `[{"type":"a\"12.50\\"}]`},
		{`[{"type":"{{range .l}}{{.}}{{end}}"}]`, `[{"type":"ab"}]`},
	} {
		c, err := Of(of(map[template.Part]string{template.Blocks: test.source, template.Body: "x"}), channel.Slack, jsontext.Value(data))
		if err != nil || string(c.Blocks) != test.want {
			t.Errorf("%s: %s, %v; want %s", test.source, c.Blocks, err, test.want)
		}
	}
	for _, test := range []struct{ source, want string }{
		{`[{"type":"{{.none}}"}]`, "blocks, line 1: .none is null"},
		{`[{"type":"{{.o}}"}]`, "blocks, line 1: .o is an object: name a field of it"},
		{`[{"type":"a",}]`, "blocks: what it makes is not JSON"},
		{`[{"type":"a","type":"b"}]`, "blocks: what it makes is not JSON, or has a key twice"},
		{`{"type":{{.x}}}`, "blocks: what it makes must be an array of 1 to 50 objects"},
		{`[{"text":{{.x}}}]`, "blocks: what it makes must have a type"},
	} {
		_, err := Of(of(map[template.Part]string{template.Blocks: test.source, template.Body: "x"}), channel.Slack, jsontext.Value(data))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v; want %s", test.source, err, test.want)
		}
	}
}

// TestDataMentionsNobody: what the data brings into a text that Slack formats is escaped
// there, and nowhere else.
func TestDataMentionsNobody(t *testing.T) {
	t.Parallel()
	const data = `{"x":"<!channel> & \"<@U1>\" \ufdd1","u":"https://a.test/?b=1&c=2","o":{"type":"mrkdwn","text":"<!here>"},"all":["<a>"]}`
	const escaped = `&lt;!channel&gt; &amp; \"&lt;@U1&gt;\" \ufdd1`
	for _, test := range []struct{ source, want string }{
		{`[{"type":"section","text":{"type":"mrkdwn","text":"<@U2> {{.x}}"}}]`,
			`[{"type":"section","text":{"type":"mrkdwn","text":"<@U2> ` + escaped + `"}}]`},
		{`[{"type":"section","text":{ "text" : {{.x}}, "type" : "mrkdwn" }}]`,
			`[{"type":"section","text":{ "text" : "` + escaped + `", "type" : "mrkdwn" }}]`},
		{`[{"type":"context","elements":[{"type":"mrkdwn","text":"<{{.u}}|it>"},` +
			`{"type":"plain_text","text":"{{index .all 0}}"}],"url":"{{.u}}"}]`,
			`[{"type":"context","elements":[{"type":"mrkdwn","text":"<https://a.test/?b=1&amp;c=2|it>"},` +
				`{"type":"plain_text","text":"<a>"}],"url":"https://a.test/?b=1&c=2"}]`},
		{`[{"type":"section","text":{{.o}}}]`, `[{"type":"section","text":{"text":"&lt;!here&gt;","type":"mrkdwn"}}]`},
		{`[{"type":"a","fields":[{"type":"mrkdwn","text":"a"},"{{index .all 0}}"]}]`,
			`[{"type":"a","fields":[{"type":"mrkdwn","text":"a"},"<a>"]}]`},
	} {
		c, err := Of(of(map[template.Part]string{template.Blocks: test.source, template.Body: "x"}), channel.Slack, jsontext.Value(data))
		if err != nil || string(c.Blocks) != test.want {
			t.Errorf("%s: %s, %v; want %s", test.source, c.Blocks, err, test.want)
		}
	}
}

func TestSubjectsAreOneLine(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`{"x":"a\r\nBcc: eve@evil.test"}`, `{"x":"a\nb"}`, `{"x":"a\u2028b"}`, `{"x":"a\u0000b"}`} {
		_, err := Of(of(map[template.Part]string{template.Subject: "Hi {{.x}}!", template.Body: "x"}), channel.Email, jsontext.Value(data))
		if want := "template invoice-paid@3: subject: what it makes must have no line breaks or other control characters"; err == nil ||
			err.Error() != want {
			t.Errorf("%s: %v", data, err)
		}
	}
}

// What an author might try: each ends, and says why.
func TestNothingRunsForLong(t *testing.T) {
	t.Parallel()
	many := `{"n":9000000000000000000,"big":"` + strings.Repeat(`\\`, 300_000) + `","all":[` + strings.Repeat("1,", 20_000) + `1]}`
	for _, test := range []struct{ source, want string }{
		{`{{range .n}}{{end}}`, errSteps.Error()},
		{`{{range 9000000000000000000}}{{end}}`, errSteps.Error()},
		{`{{range .n}}{{continue}}{{end}}`, errSteps.Error()},
		{`{{range .all}}{{range $.all}}{{end}}{{end}}`, errSteps.Error()},
		{`{{range .all}}{{range $.all}}{{range $.all}}{{if false}}x{{end}}{{end}}{{end}}{{end}}`, errSteps.Error()},
		{`{{range .n}}{{if and ` + strings.Repeat("1 ", 50_000) + `}}{{end}}{{end}}`, errSteps.Error()},
		{`{{range .n}}{{if eq $.big $.big}}{{end}}{{end}}`, errSteps.Error()},
		{`{{range .n}}{{$x := upper $.big}}{{end}}`, errSteps.Error()},
		{`{{range .n}}{{$x := len $.big}}{{end}}`, errSteps.Error()},
		{`{{$x := .big}}{{range .n}}{{$x = json $x}}{{end}}`, errSteps.Error()},
		{`{{$x := "a"}}{{range .n}}{{$x = query $x}}{{end}}`, errSteps.Error()},
		{`{{range .n}}{{$x := join "" $.all}}{{end}}`, errSteps.Error()},
		{`{{range .n}}{{$x := date "` + strings.Repeat("2006", 25) + `" 1}}{{end}}`, errSteps.Error()},
		{`{{range .n}}xxxxxxxx{{end}}`, errOutput.Error()},
		{`{{range .all}}` + strings.Repeat("x", 100) + `{{end}}`, errOutput.Error()},
		{`{{.big}}{{.big}}`, errOutput.Error()},
		{`{{fixed 21 1.5}}`, "fixed takes 0 to 20 places"},
		{`{{gt 1e308 .n}}{{eq .n 1}}{{range .n}}{{$x := gt 1e308 $.n}}{{end}}`, errSteps.Error()},
	} {
		_, err := body(t, test.source, many)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.70s: %v; want %s", test.source, err, test.want)
		}
	}
	for _, source := range []string{
		`{{range .n}}<a href="{{$.big}}">{{end}}`, `{{range .n}}<a href="{{"javascript:"}}{{$.big}}">{{end}}`,
		`<script>{{range .n}}{{$.big}};{{end}}</script>`, `{{range .n}}<!-- {{$.big}} -->{{end}}`,
	} {
		_, err := Of(of(map[template.Part]string{template.HTML: source, template.Body: "x"}), channel.Email, jsontext.Value(many))
		if err == nil || !strings.Contains(err.Error(), errOutput.Error()) && !strings.Contains(err.Error(), errSteps.Error()) {
			t.Errorf("%s: %v", source, err)
		}
	}
}

// What an author might ask for that is not the message's data.
func TestOnlyDataIsInReach(t *testing.T) {
	t.Parallel()
	const data = `{"s":"text","i":1,"d":1.50,"a":[1],"o":{"k":"v"},"t":true}`
	for _, on := range []string{".s", ".i", ".d", ".a", ".o", ".t", ".", "$"} {
		for _, name := range []string{"String", "MarshalJSON", "Error", "Len", "Kind", "GoString", "Format", "Call", "Method", "Text"} {
			if got, err := body(t, "{{("+on+")."+name+"}}", data); err == nil {
				t.Errorf("%s.%s is %q", on, name, got)
			}
		}
	}
	for _, source := range []string{
		`{{.Env}}`, `{{.os.Getenv "AWS_SECRET_ACCESS_KEY"}}`, `{{$.Template}}`, `{{.s.s}}`, `{{html .s}}`, `{{js .s}}`, `{{urlquery .s}}`,
		`{{print .s}}`, `{{println .s}}`, `{{slice .s 1}}`, `{{call .s}}`, `{{import "os"}}`, `{{include "/etc/passwd"}}`,
		`{{readFile "/etc/passwd"}}`, `{{_print "" .s}}`, `{{_html_template_htmlescaper .s}}`,
	} {
		if got, err := body(t, source, data); err == nil {
			t.Errorf("%s is %q", source, got)
		}
	}
	if got, err := body(t, "{{constructor}}", data); err == nil {
		t.Error(got)
	}
	if got, err := body(t, "{{`{{.s}}`}} {{.s}}", `{"s":"{{.t}} ${x} {{range 9}}"}`); err != nil || got != "{{.s}} {{.t}} ${x} {{range 9}}" {
		t.Errorf("data is rendered: %q, %v", got, err)
	}
}
