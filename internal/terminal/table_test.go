package terminal

import (
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

type letter struct{ id, tenant, reason, url string }

var letterColumns = []Column[letter]{
	{Title: "ITEM", Cell: func(l letter) string { return l.id }},
	{Title: "TENANT", Cell: func(l letter) string { return l.tenant }, Optional: true},
	{Title: "REASON", Cell: func(l letter) string { return l.reason }},
	{Title: "URL", Cell: func(l letter) string { return l.url }},
}

func TestTable(t *testing.T) {
	t.Parallel()
	long := letter{"item-1", "acme", "503 Service Unavailable; 4 of 4 attempts failed", "https://hooks.acme.test/in"}
	for name, c := range map[string]struct {
		width int
		rows  []letter
		want  string
	}{
		"no bound": {0, []letter{long}, "" +
			"ITEM    TENANT  REASON                                           URL\n" +
			"item-1  acme    503 Service Unavailable; 4 of 4 attempts failed  https://hooks.acme.test/in\n"},
		"it fits": {80, []letter{{"item-1", "", "404", "u"}, {"item-22", "", "", ""}}, "" +
			"ITEM     REASON  URL\n" +
			"item-1   404     u\n" +
			"item-22  -\n"},
		"the widest stands below": {60, []letter{long, {id: "item-2", reason: "404", url: "u"}}, "" +
			"ITEM    TENANT  URL\n" +
			"item-1  acme    https://hooks.acme.test/in\n" +
			"  REASON 503 Service Unavailable; 4 of 4 attempts failed\n" +
			"item-2  -       u\n" +
			"  REASON 404\n"},
		"it is broken at spaces": {30, []letter{long}, "" +
			"ITEM    TENANT\n" +
			"item-1  acme\n" +
			"  REASON 503 Service\n" +
			"    Unavailable; 4 of 4\n" +
			"    attempts failed\n" +
			"  URL\n" +
			"    https://hooks.acme.test/in\n"},
		"several below share a line": {22, []letter{{"item-1", "acme", "a b c d", "e f g h i"}}, "" +
			"ITEM    TENANT\n" +
			"item-1  acme\n" +
			"  REASON a b c d\n" +
			"  URL e f g h i\n"},
		"and do where there is room": {30, []letter{{"item-number-1234567890", "acme", "a", "b"}}, "" +
			"ITEM                    URL\n" +
			"item-number-1234567890  b\n" +
			"  TENANT acme  REASON a\n"},
		"the first stays": {4, []letter{long}, "" +
			"ITEM\n" +
			"item-1\n" +
			"  TENANT\n    acme\n  REASON\n    503\n    Service\n    Unavailable;\n    4\n    of\n    4\n    attempts\n    failed\n" +
			"  URL\n    https://hooks.acme.test/in\n"},
		"wide letters": {0, []letter{{"注文", "猫🐈", "失敗", "u"}, {"order", "cat", "failed", "u"}}, "" +
			"ITEM   TENANT  REASON  URL\n" +
			"注文   猫🐈    失敗    u\n" +
			"order  cat     failed  u\n"},
		"what would steer the terminal": {0, []letter{{"a\nb", "\x1b[2Jc", "d\u202ee\tf\x7f", "\x9bg\r"}}, "" +
			"ITEM  TENANT  REASON  URL\n" +
			"a b    [2Jc   d e f   \ufffdg\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if err := Table(Screen{&out, c.width}, letterColumns, c.rows); err != nil || out.String() != c.want {
				t.Errorf("%v, got\n%swant\n%s", err, out.String(), c.want)
			}
		})
	}
}

func TestFieldsAndSay(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	s := Screen{&out, 30}
	if err := s.Fields([][2]string{{"Item", "item-1"}, {"Tenant", ""}, {"Reason", "no connection: connection refused"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Fields([][2]string{{"Endpoint", "https://hooks.acme.test/in (host)"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.Say("held: the circuit of\nhttp://127.0.0.1:9000/in is open"); err != nil {
		t.Fatal(err)
	}
	const want = "Item    item-1\n" +
		"Reason  no connection:\n" +
		"        connection refused\n" +
		"Endpoint\n" +
		"  https://hooks.acme.test/in\n" +
		"  (host)\n" +
		"held: the circuit of\n" +
		"  http://127.0.0.1:9000/in is\n" +
		"  open\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", out.String(), want)
	}
}

// TestNothingIsLost: whatever the texts and however narrow the screen, every word
// of every cell is there, in its order, and only a word that is wider than the
// screen makes a line that is.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	text := rapid.StringOfN(rapid.SampledFrom([]rune("abc.:/-  é猫🐈\x1b\u202e\u0301")), 0, 60, -1)
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) letter {
			id := strings.Join(strings.Fields(Line(text.Draw(t, "id"))), "")
			return letter{id, text.Draw(t, "tenant"), text.Draw(t, "reason"), text.Draw(t, "url")}
		}), 1, 4).Draw(t, "rows")
		width := rapid.SampledFrom([]int{0, 20, 40, 60, 80, 120, 200}).Draw(t, "width")
		var out strings.Builder
		if err := Table(Screen{&out, width}, letterColumns, rows); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(line, "\n")
			if strings.IndexFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) >= 0 {
				t.Fatalf("%q steers the terminal", line)
			}
			if words := strings.Fields(line); width > 0 && columns(line) > width && len(words) > 1 {
				t.Fatalf("%q is wider than %d", line, width)
			}
		}
		for _, r := range rows {
			for _, cell := range []string{r.id, r.tenant, r.reason, r.url} {
				holdsInOrder(t, out.String(), strings.Fields(Line(cell)))
			}
		}
	})
}

func holdsInOrder(t *rapid.T, text string, words []string) {
	for _, word := range words {
		_, rest, ok := strings.Cut(text, word)
		if !ok {
			t.Fatalf("%q is not there", word)
		}
		text = rest
	}
}
