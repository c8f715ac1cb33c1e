package channel

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSegments(t *testing.T) {
	t.Parallel()
	a := strings.Repeat
	for _, c := range []struct {
		name, text string
		want       int
	}{
		{"empty", "", 1},
		{"160 of GSM-7", a("a", 160), 1},
		{"161", a("a", 161), 2},
		{"306", a("é", 306), 2},
		{"307", a("a", 307), 3},
		{"extended ones take two", a("€", 80), 1},
		{"extended: 162 units", a("€", 81), 2},
		{"an extended one is not divided", a("a", 152) + "€" + a("a", 151), 2},
		{"which may cost a segment", a("a", 152) + "€" + a("a", 152), 3},
		{"70 of UCS-2", a("ж", 70), 1},
		{"71", a("ж", 71), 2},
		{"134", a("ж", 134), 2},
		{"135", a("ж", 135), 3},
		{"one emoji makes all of it UCS-2", a("a", 68) + "😀", 1},
		{"71 units", a("a", 69) + "😀", 2},
		{"a surrogate pair is not divided", a("a", 66) + "😀" + a("a", 65), 2},
		{"which may cost a segment too", a("a", 66) + "😀" + a("a", 66), 3},
		{"all of the alphabet", strings.ReplaceAll(gsm7, "\f", ""), 1},
		{"a backtick is not in it", "`" + a("a", 70), 2},
		{"nor ç, though Ç is", "ç" + a("a", 70), 2},
		{"nor what is no text", "\xff" + a("a", 70), 2},
	} {
		if got := Segments(c.text); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
	if n := utf8.RuneCountInString(gsm7); n != 127 { // 128 codes, one of which is the escape
		t.Errorf("the alphabet has %d characters", n)
	}
}

// FuzzSegments: a text takes no fewer SMS than its units fill, and longer texts
// take no fewer.
func FuzzSegments(f *testing.F) {
	f.Add("a€", "b")
	f.Add(strings.Repeat("a", 160), "😀")
	f.Add("\xff", "ж")
	f.Fuzz(func(t *testing.T, text, more string) {
		n := Segments(text)
		units := 0
		for _, r := range text {
			units += max(1, gsm7Width(r))
		}
		if least := (units + gsm7Alone - 1) / gsm7Alone; n < max(1, least) || n > 1+units {
			t.Errorf("%q takes %d", text, n)
		}
		if longer := Segments(text + more); longer < n && strings.ToValidUTF8(text, "") == text {
			t.Errorf("%q takes %d, and with %q it takes %d", text, n, more, longer)
		}
	})
}
