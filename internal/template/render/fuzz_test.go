package render

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/template"
)

// FuzzTemplate looks for sources that take the process along, that make what they may
// not, or that are found good and then can't be read.
func FuzzTemplate(f *testing.F) {
	for _, source := range []string{
		"Hi {{.name}}", `<a href="{{.url}}">{{range .items}}<b title={{.}}>{{end}}</a>`, `[{"type":"{{.name}}","n":{{json .items}}}]`,
		`{{with $x := .name}}{{upper $x | truncate 3}}{{end}}`, `{{range .n}}{{continue}}{{end}}`, `{{if gt .n 1.5}}{{fixed 2 .n}}{{end}}`,
	} {
		f.Add(source, `{"name":"Ann","url":"javascript:x","items":[1,"<"],"n":1e3}`)
	}
	f.Fuzz(func(t *testing.T, source, data string) {
		for part, on := range map[template.Part]channel.Name{
			template.Subject: channel.Email, template.Body: channel.Teams, template.HTML: channel.Email, template.Blocks: channel.Slack,
			template.Card: channel.Teams, template.Embeds: channel.Discord,
		} {
			version := of(map[template.Part]string{template.Body: "x", part: source})
			checked := Check(version)
			c, err := Of(version, on, jsontext.Value(data))
			switch {
			case err != nil:
			case checked != nil && version.Check() == nil:
				t.Errorf("%s is refused, and rendered: %v", part, checked)
			case channel.CheckSubject(c.Subject) != "", len(c.Body) > mostOutput, len(c.HTML) > mostOutput:
				t.Errorf("%s makes %+v", part, c)
			case c.Blocks != nil && !c.Blocks.IsValid(), c.Card != nil && !c.Card.IsValid(), c.Embeds != nil && !c.Embeds.IsValid():
				t.Errorf("%s makes no JSON", part)
			}
		}
	})
}

// FuzzEscaped looks for values that leave the place in HTML or JSON where they stand.
func FuzzEscaped(f *testing.F) {
	for _, value := range []string{`"><script>`, `\`, `\"`, "\u2028", `</p>`, "javascript:alert(1)", "a\x00b", "' onload='", "<!channel>"} {
		f.Add(value)
	}
	version := of(map[template.Part]string{
		template.Body: "x", template.HTML: `<p title="{{.v}}">{{.v}}</p><a href="{{.v}}">x</a>`, template.Blocks: `[{"type":"t","v":"{{.v}}"}]`,
	})
	f.Fuzz(func(t *testing.T, value string) {
		value = strings.NewReplacer("\ufdd0", "", "\ufdd1", "", "\ufdd2", "").Replace(strings.ToValidUTF8(value, "")) // these come out as \ufdd0
		quoted, err := jsontext.AppendQuote(nil, value)
		if err != nil {
			t.Fatal(err)
		}
		data := jsontext.Value(`{"v":` + string(quoted) + `}`)
		mail, err := Of(version, channel.Email, data)
		if err == nil && (strings.Count(mail.HTML, "<") != 4 || strings.Count(mail.HTML, ">") != 4 || strings.Count(mail.HTML, `"`) != 4 ||
			strings.Contains(strings.ToLower(mail.HTML), `href="javascript:`)) {
			t.Errorf("%q makes %s", value, mail.HTML)
		}
		slack, err := Of(version, channel.Slack, data)
		if err != nil || string(slack.Blocks) != `[{"type":"t","v":`+string(quoted)+`}]` {
			t.Errorf("%q makes %s: %v", value, slack.Blocks, err)
		}
	})
}
