package message

import (
	"regexp"
	"strconv"
	"strings"
)

var templates = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// CheckTemplateName says what is wrong with the name of a template; "" when nothing
// is.
func CheckTemplateName(s string) string {
	if !templates.MatchString(s) {
		return "must be 1 to 64 of A-Z, a-z, 0-9, _, . and -, and begin with a letter or a digit"
	}
	return ""
}

// TemplateVersion reads the number of a template's version: 1 to 9 digits, the first of
// them not 0.
func TemplateVersion(s string) (version int64, ok bool) {
	version, err := strconv.ParseInt(s, 10, 64)
	return version, err == nil && version > 0 && len(s) <= 9 && s[0] != '0' && s[0] != '+'
}

// TemplateOf reads what names a template: its name, which stands for its current
// version (0), or name@version.
func TemplateOf(s string) (name string, version int64, problem string) {
	name, pinned, isPinned := strings.Cut(s, "@")
	if problem := CheckTemplateName(name); problem != "" {
		return "", 0, problem + "; a version follows it after @"
	}
	if version, ok := TemplateVersion(pinned); ok || !isPinned {
		return name, version, ""
	}
	return "", 0, "must have a version of 1 to 999999999 after @, or none"
}

// CheckTemplate says what is wrong with what names a template; "" when nothing is.
func CheckTemplate(s string) string {
	_, _, problem := TemplateOf(s)
	return problem
}
