package plaintext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ html, want string }{
		"nothing":           {"", ""},
		"text":              {"It is paid.", "It is paid."},
		"entities":          {"A &amp; B&nbsp;&lt;c&gt; &euro;5", "A & B <c> €5"},
		"white space":       {"<p> a\n\t b <b> c</b>d </p>", "a b cd"},
		"words that touch":  {"<b>a</b><i>b</i> <i> c </i>.", "ab c ."},
		"paragraphs":        {"<p>a</p><p>b</p><div>c</div><div>d</div>", "a\n\nb\n\nc\nd"},
		"breaks":            {"a<br>b<br><br>c<br>", "a\nb\n\nc"},
		"headings":          {"<h1>Invoice</h1>It is paid.", "Invoice\n\nIt is paid."},
		"a list":            {"<p>a</p><ul><li>one</li><li>two</li></ul><p>b</p>", "a\n\n- one\n- two\n\nb"},
		"a numbered list":   {"<ol><li>one<br>more<li>two<ul><li>in</ul></ol>", "1. one\n   more\n2. two\n\n   - in"},
		"a table":           {"<table><tr><th>Item</th><th>Price</th></tr><tr><td>Pen<td>2.00</table>", "Item Price\nPen 2.00"},
		"a table as layout": {"<table><tr><td><table><tr><td><p>a</p><p>b</p></td></tr></table></td></tr></table>", "a\n\nb"},
		"a link":            {`See <a href="https://acme.test/x?a=1&amp;b=2">here</a>.`, "See here (https://acme.test/x?a=1&b=2)."},
		"a link as it is": {`<a href="https://acme.test/x">https://acme.test/x</a> <a href="https://acme.test/">acme.test</a>`,
			"https://acme.test/x acme.test"},
		"a link by mail": {`<a href="mailto:ann@acme.test">ann@acme.test</a>, <a href="mailto:bob@acme.test">Bob</a>`,
			"ann@acme.test, Bob (mailto:bob@acme.test)"},
		"a link to nothing": {`<a href="#top">top</a> <a href="javascript:x()">run</a> <a>a</a>`, "top run a"},
		"an image":          {`<a href="https://acme.test/x"><img src="cid:logo" alt="Acme"></a><img src="x">`, "Acme (https://acme.test/x)"},
		"links that touch": {`<a href="https://acme.test/x"><img src="l" alt="Acme"></a><a href="https://b.test/">https://b.test/</a>, ` +
			`<a href="https://c.test/">C</a><b>d</b>, <a href="https://e.test/">E</a>.`,
			"Acme (https://acme.test/x) https://b.test/, C (https://c.test/) d, E (https://e.test/)."},
		"an image alone": {`<a href="https://acme.test/x"><img src="cid:logo"></a>`, "https://acme.test/x"},
		"what is not shown": {"<head><title>t</title><style>p{}</style></head><script>x()</script><p hidden>h</p>" +
			`<div style="display: none">preview</div><p>seen</p><!-- no -->`, "seen"},
		"preformatted": {"<pre>a\n  b\n\nc</pre>d", "a\n  b\n\nc\n\nd"},
		"a quote":      {"<p>a</p><blockquote><p>b</p><p>c</p></blockquote><p>d</p>", "a\n\n> b\n>\n> c\n\nd"},
		"a rule":       {"a<hr>b", "a\n\n----\n\nb"},
		"broken":       {"<p>a<div>b</p></span><td>c", "a\n\nb\n\nc"},
		"a document":   {"<!doctype html><html><body><p>a</p></body></html>\n", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(c.want, Of(c.html)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// FuzzOf: whatever comes, there is a text without loose ends.
func FuzzOf(f *testing.F) {
	f.Add("<p>a</p><ul><li>b</ul><table><td>c")
	f.Add("<blockquote><pre>\n\n a</blockquote><ol><li><li>")
	f.Add(strings.Repeat("<div>", 2000) + "a")
	f.Fuzz(func(t *testing.T, document string) {
		text := Of(document)
		if strings.TrimRight(text, " \n") != text || !utf8.ValidString(text) && utf8.ValidString(document) {
			t.Errorf("%q of %q", text, document)
		}
	})
}
