package commandline

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
)

func TestCandidates(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{ // the words that are offered, in their order
		"dl":                        "dlq",
		"dlq ":                      "list show replay rm tasks",
		"dlq r":                     "replay rm",
		"dlq list --dev --lim":      "--limit",
		"dlq list --source ":        "index queue",
		"dlq list --source i":       "index",
		"dlq list --limit ":         "",
		"dlq list --limit 5 --sour": "--source",
		"dlq list --limit --sour":   "", // it is the limit
		"secret ":                   "put list rm rotate",
		"completion ":               "bash zsh fish",
		"help":                      "help",
		"nonsense --dev":            "",
		"--ver":                     "--version",
	} {
		var words []string
		var c cli
		for _, offered := range candidates(newParser(&c).Model.Node, strings.Split(line, " ")) {
			word, _, _ := strings.Cut(offered, "\t")
			words = append(words, word)
		}
		if got := strings.Join(words, " "); got != want {
			t.Errorf("%q offers %q, want %q", line, got, want)
		}
	}
}

// shellAsks are what has each shell complete, and print what it found.
var shellAsks = map[string]string{
	"bash": `source <(efferent completion bash)
COMP_WORDS=(efferent dlq r); COMP_CWORD=2; _efferent; printf '%s\n' "${COMPREPLY[@]}"`,
	"zsh": `compdef() { :; }; _describe() { print -l -- $found; }; _files() { print files; }
source <(efferent completion zsh)
words=(efferent dlq r); CURRENT=3; _efferent
words=(efferent dlq list --limit ""); CURRENT=5; _efferent`,
	"fish": `efferent completion fish | source; complete -C "efferent dlq r"`,
}

// TestShellsComplete has those shells that are here ask the command.
func TestShellsComplete(t *testing.T) {
	t.Parallel()
	for shell, script := range shellAsks {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(shell); err != nil {
				t.Skipf("no %s here", shell)
			}
			dir := t.TempDir()
			self, err := filepath.Abs(os.Args[0])
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(self, filepath.Join(dir, "efferent")); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(shell, "-c", script)
			cmd.Env = append(commandtest.Command().Env, "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir)
			got := commandtest.Finish(cmd)
			lines := strings.Split(strings.TrimSpace(got.Stdout), "\n")
			words := slices.Collect(func(yield func(string) bool) {
				for _, line := range lines {
					if !yield(strings.FieldsFunc(line+":", func(r rune) bool { return r == ':' || r == '\t' })[0]) {
						return
					}
				}
			})
			want := []string{"replay", "rm"}
			if shell == "zsh" {
				want = append(want, "files") // of what has no words of its own
			}
			if !slices.Equal(words, want) || got.Stderr != "" {
				t.Errorf("got %q, %q", got.Stdout, got.Stderr)
			}
		})
	}
}
