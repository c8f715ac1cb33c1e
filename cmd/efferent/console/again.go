package console

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ShellWord quotes a text for a shell, where it has to be.
func ShellWord(text string) string {
	if strings.IndexFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./+=@:%", r))
	}) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// OwnName is what somebody types to run this program again.
func OwnName() string {
	name, err := os.Executable()
	if err != nil || strings.Contains(filepath.ToSlash(name), "/go-build") {
		return "go run ./cmd/efferent"
	}
	if found, err := exec.LookPath("efferent"); err == nil {
		if same, err := filepath.EvalSymlinks(found); err == nil && same == name {
			return "efferent"
		}
	}
	return ShellWord(name)
}
