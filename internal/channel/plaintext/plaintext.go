// Package plaintext makes plain text of the HTML of a mail, for its text part and
// for channels that show no HTML. It says what somebody would read, with the
// addresses of links. It is no way to make HTML safe.
package plaintext

import (
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// Of returns the text of a document or a part of one; "" where nobody would read
// any. Whatever it is given it makes something of, as browsers do.
func Of(document string) string {
	root, err := html.Parse(strings.NewReader(document))
	if err != nil { // of a reader that fails, and of nesting that no mail has
		return ""
	}
	w := &writer{}
	w.children(root)
	return strings.TrimRight(w.text.String(), " \n")
}

// writer writes text with its white space as HTML has it: runs of it are one
// space, and breaks between blocks do not add up.
type writer struct {
	text strings.Builder
	// prefix begins each line: the > of quotes, and what sets list items in.
	prefix string
	// breaks are line breaks that are due before more text comes, space a space.
	breaks int
	space  bool
	// led says that an address in brackets was written last: a word that touches it
	// would be taken for a part of it.
	led bool
	// opened says that a quote or an item has just begun: it begins where it is.
	opened bool
	// pre says that white space stands as it is.
	pre bool
	// item numbers the items of an ordered list; 0 in any other.
	item int
}

// Of these nothing is shown.
var unseen = map[atom.Atom]bool{
	atom.Head: true, atom.Script: true, atom.Style: true, atom.Template: true, atom.Title: true, atom.Object: true, atom.Iframe: true,
	atom.Svg: true, atom.Math: true, atom.Select: true, atom.Textarea: true, atom.Noscript: true, atom.Noframes: true,
}

// lines are how many line breaks stand around an element.
var lines = map[atom.Atom]int{
	atom.P: 2, atom.H1: 2, atom.H2: 2, atom.H3: 2, atom.H4: 2, atom.H5: 2, atom.H6: 2, atom.Ul: 2, atom.Ol: 2, atom.Dl: 2, atom.Table: 2,
	atom.Blockquote: 2, atom.Pre: 2, atom.Hr: 2, atom.Div: 1, atom.Li: 1, atom.Dt: 1, atom.Dd: 1, atom.Tr: 1, atom.Caption: 1,
	atom.Section: 1, atom.Article: 1, atom.Header: 1, atom.Footer: 1, atom.Main: 1, atom.Aside: 1, atom.Nav: 1, atom.Figure: 1,
	atom.Figcaption: 1, atom.Address: 1, atom.Center: 1, atom.Form: 1, atom.Fieldset: 1, atom.Details: 1, atom.Summary: 1,
}

func (w *writer) children(n *html.Node) {
	for c := range n.ChildNodes() {
		w.node(c)
	}
}

func (w *writer) node(n *html.Node) {
	switch {
	case n.Type == html.TextNode:
		w.write(n.Data)
		return
	case n.Type == html.ElementNode && (unseen[n.DataAtom] || isHidden(n)):
		return
	}
	w.ask(lines[n.DataAtom])
	w.element(n)
	w.ask(lines[n.DataAtom])
}

// ask asks for line breaks before more text comes.
func (w *writer) ask(breaks int) {
	if !w.opened {
		w.breaks = max(w.breaks, breaks)
	}
}

func (w *writer) element(n *html.Node) {
	switch n.DataAtom {
	case atom.Br:
		w.breaks++
	case atom.Hr:
		w.write("----")
	case atom.Img:
		w.write(attribute(n, "alt"))
	case atom.A:
		w.link(n)
	case atom.Td, atom.Th:
		w.space = true
		w.children(n)
		w.space = true
	case atom.Ul, atom.Ol:
		w.list(n)
	case atom.Li:
		w.listItem(n)
	case atom.Blockquote:
		w.set("> ", func() { w.children(n) })
	case atom.Pre:
		defer func(before bool) { w.pre = before }(w.pre)
		w.pre = true
		w.children(n)
	default:
		w.children(n)
	}
}

// set sets what is written meanwhile in.
func (w *writer) set(by string, write func()) {
	if w.text.Len() > 0 {
		w.newLines(1)
	}
	before := w.prefix
	w.prefix += by
	w.opened = true
	write()
	w.prefix, w.opened = before, false
}

// newLines ends lines until only some of the breaks that are due are left.
func (w *writer) newLines(left int) {
	for ; w.breaks > left; w.breaks-- {
		w.text.WriteString("\n" + strings.TrimRight(w.prefix, " "))
	}
}

func (w *writer) list(n *html.Node) {
	defer func(before int) { w.item = before }(w.item)
	w.item = 0
	if n.DataAtom == atom.Ol {
		w.item = 1
	}
	w.children(n)
}

func (w *writer) listItem(n *html.Node) {
	mark := "- "
	if w.item > 0 {
		mark = strconv.Itoa(w.item) + ". "
		w.item++
	}
	w.put(mark)
	before := w.prefix
	w.prefix += strings.Repeat(" ", len(mark))
	w.opened = true
	w.children(n)
	w.prefix, w.opened = before, false
}

// link writes a link's text, and where it leads unless the text says so.
func (w *writer) link(n *html.Node) {
	start := w.text.Len()
	w.children(n)
	to := strings.TrimSpace(attribute(n, "href"))
	shown := strings.TrimPrefix(strings.TrimPrefix(to, "https://"), "mailto:")
	if !address.MatchString(to) || strings.Contains(w.text.String()[start:], strings.TrimSuffix(shown, "/")) {
		return
	}
	if w.text.Len() > start {
		to = "(" + to + ")"
		w.space = true
		defer func() { w.led = true }()
	}
	w.write(to)
}

// address is what a reader of text can do something with.
var address = regexp.MustCompile(`(?i)^(https?|mailto|tel):[!-~]+$`)

// write writes text: of white space, what HTML shows of it.
func (w *writer) write(s string) {
	if w.pre {
		for i, line := range strings.Split(strings.ReplaceAll(s, "\r", ""), "\n") {
			if i > 0 {
				w.breaks++
			}
			if line != "" {
				w.put(line)
			}
		}
		return
	}
	for i, word := range strings.FieldsFunc(s, isSpace) {
		w.space = w.space || i > 0 || isSpace(rune(s[0]))
		w.put(word)
	}
	if s != "" && isSpace(rune(s[len(s)-1])) {
		w.space = true
	}
}

// isSpace is what HTML calls ASCII whitespace: no-break spaces are none.
func isSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == '\r' || r == '\f' }

// put writes a word, after the breaks or the space that are due.
func (w *writer) put(word string) {
	word = strings.ReplaceAll(word, "\u00a0", " ")
	switch {
	case w.text.Len() == 0:
		w.text.WriteString(w.prefix)
	case w.breaks > 0:
		w.newLines(1)
		w.text.WriteString("\n" + w.prefix)
	case !w.opened && (w.space || w.led && beginsWord.MatchString(word)):
		w.text.WriteString(" ")
	}
	w.breaks, w.space, w.opened, w.led = 0, false, false, false
	w.text.WriteString(word)
}

// beginsWord is what is no punctuation that ends a sentence.
var beginsWord = regexp.MustCompile(`^[\pL\pN(\[/@#]`)

// hides is CSS by which mails hide what only previews show.
var hides = regexp.MustCompile(`(?i)display\s*:\s*none|mso-hide\s*:\s*all|visibility\s*:\s*hidden`)

func isHidden(n *html.Node) bool {
	for _, a := range n.Attr {
		if a.Key == "hidden" || a.Key == "style" && hides.MatchString(a.Val) {
			return true
		}
	}
	return false
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
