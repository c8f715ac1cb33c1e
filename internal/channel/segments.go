package channel

import (
	"strings"
	"unicode/utf8"
)

// The septets of 3GPP TS 23.038: the default alphabet, and the extension
// table, whose characters take two.
const (
	gsm7 = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsm7Extended = "\f^{}\\[~]|€"
)

// Units (septets, or 16-bit units of UCS-2) of an SMS alone, and of one of
// several, which a header takes room of.
const (
	gsm7Alone, gsm7Part = 160, 153
	ucs2Alone, ucs2Part = 70, 67
)

// Segments is how many SMS a text takes. What takes two units, an extended
// character or a surrogate pair, is never divided between two of them.
func Segments(text string) int {
	width, alone, part := gsm7Width, gsm7Alone, gsm7Part
	if strings.ContainsFunc(text, func(r rune) bool { return gsm7Width(r) == 0 }) {
		width, alone, part = ucs2Width, ucs2Alone, ucs2Part
	}
	total, segments, used := 0, 1, 0
	for _, r := range text {
		w := width(r)
		total += w
		if used += w; used > part {
			segments++
			used = w
		}
	}
	if total <= alone {
		return 1
	}
	return segments
}

// gsm7Width is 0 for what is in neither table.
func gsm7Width(r rune) int {
	switch {
	case r == utf8.RuneError:
		return 0
	case strings.ContainsRune(gsm7, r):
		return 1
	case strings.ContainsRune(gsm7Extended, r):
		return 2
	}
	return 0
}

func ucs2Width(r rune) int {
	if r > 0xffff {
		return 2
	}
	return 1
}
