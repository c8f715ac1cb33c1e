package render

import (
	"bytes"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Slack takes "<!channel>" and "<https://…|text>" in a text of the type mrkdwn for a
// mention and a link ("Formatting text for app surfaces": &, < and > are escaped). So
// what the data brings there is escaped, as html/template does in HTML; what the
// template says itself is not, nor is data in other places, such as an address.
// Whether a text is mrkdwn is known only when its object is complete: until then these
// stand for the three. They are no characters (Unicode, section 23.7).
var (
	marks   = strings.NewReplacer("&", "\ufdd0", "<", "\ufdd1", ">", "\ufdd2", "\ufdd0", `\ufdd0`, "\ufdd1", `\ufdd1`, "\ufdd2", `\ufdd2`)
	escapes = strings.NewReplacer("\ufdd0", "&amp;", "\ufdd1", "&lt;", "\ufdd2", "&gt;")
	plain   = strings.NewReplacer("\ufdd0", "&", "\ufdd1", "<", "\ufdd2", ">")
)

// marked is a function that writes JSON, with the three marked.
func marked(of func(string, any) (string, error)) func(string, any) (string, error) {
	return func(called string, value any) (string, error) {
		text, err := of(called, value)
		return marks.Replace(text), err
	}
}

// settled has each mark stand for what Slack wants where it is. What is not JSON is left
// to who looks at that.
func settled(text string) string {
	var b strings.Builder
	from := 0
	for _, s := range mrkdwnOf(text) {
		b.WriteString(plain.Replace(text[from:s.from]))
		b.WriteString(escapes.Replace(text[s.from:s.to]))
		from = s.to
	}
	return b.String() + plain.Replace(text[from:])
}

// span is where a string stands in JSON.
type span struct{ from, to int }

// mrkdwnOf finds the texts that Slack formats, in order.
func mrkdwnOf(text string) (all []span) {
	type open struct {
		text   span // of its member "text"
		mrkdwn bool
	}
	var within []open
	d := jsontext.NewDecoder(bytes.NewReader([]byte(text)))
	for key := ""; ; {
		from := int(d.InputOffset())
		token, err := d.ReadToken()
		if err != nil {
			return all
		}
		switch token.Kind() {
		case jsontext.KindBeginObject, jsontext.KindBeginArray:
			within = append(within, open{})
		case jsontext.KindEndObject, jsontext.KindEndArray:
			if o := within[len(within)-1]; o.mrkdwn && o.text.to > 0 {
				all = append(all, o.text)
			}
			within = within[:len(within)-1]
		case jsontext.KindString:
			kind, n := d.StackIndex(d.StackDepth())
			if kind != jsontext.KindBeginObject {
				continue
			}
			switch o := &within[len(within)-1]; {
			case n%2 == 1:
				key = token.String()
			case key == "type":
				o.mrkdwn = token.String() == "mrkdwn"
			case key == "text":
				o.text = span{from, int(d.InputOffset())}
			}
		}
	}
}
