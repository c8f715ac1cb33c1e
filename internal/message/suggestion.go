package message

import "strings"

// Suggestion is "; did you mean …" for a key that is nearly a field's name.
func Suggestion(name string, fields []string) string {
	best, distance := "", 3
	for _, field := range fields {
		if d := editDistance(strings.ToLower(name), field); d < distance && d < len(field) {
			best, distance = field, d
		}
	}
	if best == "" {
		return ""
	}
	return `; did you mean "` + best + `"?`
}

// editDistance is how many bytes to add, drop or change to make b of a
// (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
