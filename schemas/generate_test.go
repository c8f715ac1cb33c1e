package schemas_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
)

// kind is how messages of one kind are made up: from good ones, by few changes.
type kind struct {
	required []string
	// good are values of each field that the reader takes, as JSON.
	good map[string][]string
	// near are values that are good or nearly so, by field.
	near map[string]func(*rand.Rand) string
	// rich are the fields that have more rules than the others.
	rich []string
}

// field is a key and its value, as JSON.
type field struct{ name, value string }

func (k *kind) seeds() (all [][]byte) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		all = append(all, k.make(random))
	}
	return append(all, nil, []byte(`[]`), []byte(`{}`), []byte("\xef\xbb\xbf{}"))
}

// make makes up a message. A quarter of them are as they should be.
func (k *kind) make(random *rand.Rand) []byte {
	fields := k.sound(random)
	for range random.IntN(4) {
		fields = k.change(random, fields)
	}
	random.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	var b strings.Builder
	b.WriteString(space(random) + "{")
	for i, f := range fields {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString(space(random) + f.name + space(random) + ":" + space(random) + f.value)
	}
	b.WriteString("}" + space(random))
	return spoil(random, b.String())
}

func space(random *rand.Rand) string {
	if random.IntN(20) > 0 {
		return ""
	}
	return pick(random, []string{" ", "\n", "\t", "\r\n", "  "})
}

// sound has what is required, and some of the rest.
func (k *kind) sound(random *rand.Rand) (all []field) {
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range k.good {
			if !yield(name) {
				return
			}
		}
	})
	for _, name := range names {
		if slices.Contains(k.required, name) || random.IntN(3) == 0 {
			all = append(all, field{strconv.Quote(name), pick(random, k.good[name])})
		}
	}
	return all
}

// change changes one field.
func (k *kind) change(random *rand.Rand, fields []field) []field {
	if len(fields) == 0 {
		return fields
	}
	i := random.IntN(len(fields))
	if at := slices.IndexFunc(fields, func(f field) bool { return slices.Contains(k.rich, strings.Trim(f.name, `"`)) }); at >= 0 &&
		random.IntN(3) == 0 {
		i = at
	}
	name, err := strconv.Unquote(fields[i].name)
	if err != nil || name == "" {
		return fields
	}
	near := k.near[name]
	switch n := random.IntN(20); {
	case n < 12 && near != nil:
		fields[i].value = near(random)
	case n < 13:
		fields[i].value = pick(random, oddValues)
	case n < 14:
		fields[i].value = odd(random)
	case n < 15:
		return slices.Delete(fields, i, i+1)
	case n < 16:
		return append(fields, field{fields[i].name, pick(random, append(oddValues, fields[i].value))})
	case n < 17:
		fields[i].name = spelled(random, name)
	case n < 18:
		return append(fields, field{spelled(random, name), fields[i].value})
	default:
		if values := k.good[name]; len(values) > 0 {
			fields[i].value = escaped(random, pick(random, values))
		}
	}
	return fields
}

// spelled is a key as somebody may write it.
func spelled(random *rand.Rand, name string) string {
	switch random.IntN(8) {
	case 0:
		return quote(strings.ToUpper(name))
	case 1:
		return quote(strings.ToUpper(name[:1]) + name[1:])
	case 2:
		return quote(strings.ReplaceAll(name, "_", "-"))
	case 3:
		return quote(name + pick(random, []string{"s", " ", "\x00", "\u0301", "_"}))
	case 4:
		return escaped(random, quote(name)) // which is the same key
	case 5:
		return quote("")
	case 6:
		return `"` + name + `\ud800"`
	}
	return odd(random)
}

// escaped writes one character of a JSON string as an escape.
func escaped(random *rand.Rand, value string) string {
	if len(value) < 3 || value[0] != '"' || strings.Contains(value, `\`) {
		return value
	}
	i := 1 + random.IntN(len(value)-2)
	if value[i] >= 0x80 {
		return value
	}
	return value[:i] + `\u00` + string("0123456789abcdef"[value[i]>>4]) + string("0123456789aBcDeF"[value[i]&15]) + value[i+1:]
}

// spoil seldom breaks the JSON as a whole.
func spoil(random *rand.Rand, s string) []byte {
	at := random.IntN(len(s) + 1)
	switch random.IntN(200) {
	case 0:
		return []byte(s[:at])
	case 1:
		return []byte(s + pick(random, []string{"{}", "x", "\x00", ",", "null", "\u00a0", "\ufeff"}))
	case 2:
		return []byte(s[:at] + "\xff" + s[at:])
	case 3:
		return []byte(s[:at] + "\xed\xa0\x80" + s[at:])
	case 4:
		return []byte("\ufeff" + s)
	case 5:
		return []byte("[" + s + "]")
	case 6:
		return []byte(quote(s))
	case 7:
		return []byte(s[:at] + pick(random, oddText) + s[at:])
	}
	return []byte(s)
}

var (
	oddValues = []string{
		"null", "true", "false", "0", "-0", "1e400", "1E-5", "15", "-1.5", `""`, "[]", "{}", "[null]", `{"a":null}`, `[[[{}]]]`,
		`{"":""}`, `" "`, `"\u0000"`, `"\ud800"`, `"\udc00\ud800"`, `"\ud83d\ude00"`, `"null"`, `"{}"`, `["email"]`,
		`{"email":"a"}`,
	}
	oddText = []string{
		"\x00", "\n", "\r\n", "\t", "\x7f", "\u0080", "\u0085", "\u009f", "\u00a0", "\u00ad", "\u1680", "\u180e",
		"\u2000", "\u200a", "\u200b",
		"\u200d", "\u2028", "\u2029", "\u202e", "\u202f", "\u205f", "\u3000", "\ufeff", "\ufffd", "\uffff", "😀", "é",
		"e\u0301", "ß", "İ", "ſ", "K",
		"／", "．", "。", "：", "＠", "xn--", "%", "%00", "%41", "%zz", "%C3%A4", "%ff", "#", "?", "/", "//", "\\", ":", "::",
		"@", "[", "]", "&",
		"<", ">", ",", ";", "'", `"`, "`", "{", "|", "}", "^", "~", " ", "  ", "+", "-", ".", "_", "a", "Z", "0", "9",
	}
)

// odd is a JSON string of characters that matter to somebody.
func odd(random *rand.Rand) string {
	var b strings.Builder
	for range random.IntN(6) {
		b.WriteString(pick(random, oddText))
	}
	return quote(b.String())
}

// strange puts something odd into a text, at its ends mostly.
func strange(random *rand.Rand, s string) string {
	at := []int{0, len(s), random.IntN(len(s) + 1)}[random.IntN(3)]
	return s[:at] + pick(random, oddText) + s[at:]
}

// long repeats a text until it is about as long as a limit, in characters or bytes.
func long(random *rand.Rand, part string, limit int) string {
	n := limit/len(part) - 1 + random.IntN(3)
	if random.IntN(4) == 0 {
		n = limit / len([]rune(part))
	}
	return strings.Repeat(part, max(0, n))
}

func pick[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string can always be encoded
	}
	return string(b)
}
