package secretserver

import (
	"slices"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
)

// checkFilters holds filters to "Filter" in the API reference.
func checkFilters(filters []types.Filter) error {
	if err := checkLength("filters", len(filters), 0, 10); err != nil {
		return err
	}
	for i, f := range filters {
		switch {
		case f.Key == "":
			return invalidParameter("Invalid filter key")
		case !slices.Contains(f.Key.Values(), f.Key):
			return invalidValue("1 validation error detected: Value '%.100s' at 'filters.%d.member.key' failed to satisfy constraint: "+
				"Member must satisfy enum value set: %v", f.Key, i+1, f.Key.Values())
		case len(f.Values) == 0:
			return invalidParameter("Invalid filter values for key: %s", f.Key)
		}
		if err := checkLength("filters.member.values", len(f.Values), 1, 10); err != nil {
			return err
		}
	}
	return nil
}

// passes: every filter must match. A filter matches by any of its values, one
// that begins with an exclamation mark if the rest of it does not match.
func (s *Secret) passes(filters []types.Filter) bool {
	for _, f := range filters {
		if !slices.ContainsFunc(f.Values, func(value string) bool {
			rest, negated := strings.CutPrefix(value, "!")
			return s.matches(f.Key, rest) != negated
		}) {
			return false
		}
	}
	return true
}

// matches: names and tags match by prefix. A description matches if each word
// of the value begins one of its words, and "all" likewise over all
// attributes, where words end before a capital too. Secrets here have no owning service and no replicas, so filters
// on those match nothing.
func (s *Secret) matches(key types.FilterNameStringType, value string) bool {
	isPrefix := func(text string) bool { return strings.HasPrefix(text, value) }
	switch key {
	case types.FilterNameStringTypeName:
		return isPrefix(s.Name)
	case types.FilterNameStringTypeTagKey:
		return slices.ContainsFunc(s.Tags, func(t Tag) bool { return isPrefix(t.Key) })
	case types.FilterNameStringTypeTagValue:
		return slices.ContainsFunc(s.Tags, func(t Tag) bool { return isPrefix(t.Value) })
	case types.FilterNameStringTypeDescription:
		return beginWords(words(value), words(s.Description))
	case types.FilterNameStringTypeAll:
		texts := []string{s.Name, s.Description}
		for _, t := range s.Tags {
			texts = append(texts, t.Key, t.Value)
		}
		return beginWords(words(atCapitals(value)), words(atCapitals(texts...)))
	}
	return false
}

func words(text string) []string {
	return strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// atCapitals joins texts, with a space before each capital that follows a small
// letter: MyTest is My Test.
func atCapitals(texts ...string) string {
	var b strings.Builder
	for _, text := range texts {
		small := false
		for _, r := range text {
			if small && unicode.IsUpper(r) {
				b.WriteByte(' ')
			}
			b.WriteRune(r)
			small = unicode.IsLower(r)
		}
		b.WriteByte(' ')
	}
	return b.String()
}

func beginWords(wanted, all []string) bool {
	for _, w := range wanted {
		if !slices.ContainsFunc(all, func(word string) bool { return strings.HasPrefix(word, w) }) {
			return false
		}
	}
	return len(wanted) > 0
}
