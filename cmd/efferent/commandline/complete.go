package commandline

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
)

// completeCommand is what the shells call, with the words so far, of which the
// last is not complete. No help shows it.
const completeCommand = "__complete"

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help tells how to use it.
func (completionCommand) Help() string {
	return `Have the shell read it when it starts:

    bash: source <(efferent completion bash)    in ~/.bashrc

    zsh:  source <(efferent completion zsh)     in ~/.zshrc, after compinit

    fish: efferent completion fish | source     in ~/.config/fish/config.fish`
}

func (c *completionCommand) Run() error {
	_, err := io.WriteString(os.Stdout, completionScripts[c.Shell])
	return err
}

// completionScripts ask efferent itself. A line of its answer is a word, a tab,
// and what it is for; where it has none, the shell completes files.
var completionScripts = map[string]string{
	"bash": `_efferent() {
  local IFS=$'\n'
  COMPREPLY=($("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f1))
}
complete -o default -F _efferent efferent
`,
	"zsh": `_efferent() {
  local -a found
  found=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -z "${found[1]}" ]]; then
    _files
    return
  fi
  found=("${(@)found//:/\\:}")
  found=("${(@)found/$'\t'/:}")
  _describe efferent found
}
compdef _efferent efferent
`,
	"fish": `function __efferent
  set -l words (commandline -opc) (commandline -ct)
  command $words[1] __complete $words[2..] 2>/dev/null
end
complete -c efferent -f -a '(__efferent)'
complete -c efferent -F -n 'not __efferent | string length -q'
`,
}

// complete prints what the last of the words may become. It never fails: a shell
// could not say why.
func complete(out io.Writer, words []string) int {
	if len(words) == 0 {
		words = []string{""}
	}
	var c cli
	for _, line := range candidates(newParser(&c).Model.Node, words) {
		fmt.Fprintln(out, line)
	}
	return 0
}

// candidates are what the last of the words may become: commands, flags, or the
// values of a flag or an argument that has few.
func candidates(node *kong.Node, words []string) (all []string) {
	typed := words[len(words)-1]
	var pending *kong.Value // its value is the next word
	for _, word := range words[:len(words)-1] {
		switch flag := flagOf(node, word); {
		case pending != nil:
			pending = nil
		case flag != nil:
			if !flag.IsBool() {
				pending = flag.Value
			}
		default:
			if child := childOf(node, word); child != nil {
				node = child
			}
		}
	}
	offer := func(word, help string) {
		if strings.HasPrefix(word, typed) {
			all = append(all, word+"\t"+help)
		}
	}
	switch {
	case pending != nil:
		offerValues(pending, offer)
	case strings.HasPrefix(typed, "-"):
		for _, group := range node.AllFlags(true) {
			for _, flag := range group {
				offer("--"+flag.Name, flag.Help)
			}
		}
	default:
		for _, child := range node.Children {
			offer(child.Name, child.Help)
		}
		for _, argument := range node.Positional {
			offerValues(argument, offer)
		}
	}
	return all
}

func offerValues(v *kong.Value, offer func(word, help string)) {
	if v.Enum == "" {
		return
	}
	for word := range strings.SplitSeq(v.Enum, ",") {
		offer(strings.TrimSpace(word), "")
	}
}

// flagOf finds a flag that is the whole word.
func flagOf(node *kong.Node, word string) *kong.Flag {
	for _, group := range node.AllFlags(false) {
		for _, flag := range group {
			if word == "--"+flag.Name || flag.Short != 0 && word == "-"+string(flag.Short) {
				return flag
			}
		}
	}
	return nil
}

func childOf(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}
