package secret

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"golang.org/x/term"

	"github.com/efferent/efferent/cmd/efferent/console"
)

// maxTyped is the longest line, in characters, that a term.Terminal takes.
const maxTyped = 4096

// typeSecret reads a secret from the terminal, unseen. The terminal is raw
// meanwhile: of a paste of many lines nothing may be shown, nor be left for
// the shell. It does not wait longer than ctx.
func typeSecret(ctx context.Context, name string) (string, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.MakeRaw(fd)
	if err != nil {
		return "", fmt.Errorf("hide what is typed: %w; give the secret by a pipe", err)
	}
	defer term.Restore(fd, before)
	screen := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{os.Stdin, os.Stderr}, "")
	type answer struct {
		text string
		err  error
	}
	typed := make(chan answer, 1)
	go func() {
		text, err := readTyped(screen, "The secret for "+name+" (it is not shown): ")
		typed <- answer{text, err}
	}()
	select {
	case a := <-typed:
		return a.text, a.err
	case <-ctx.Done():
		return "", fmt.Errorf("%w: nothing was kept", console.ErrInterrupted)
	}
}

// readTyped reads a line; or the lines of a JSON object, until it is whole or
// one is empty.
func readTyped(screen *term.Terminal, prompt string) (string, error) {
	var lines []string
	for {
		line, err := screen.ReadPassword(prompt)
		switch {
		case errors.Is(err, io.EOF): // Ctrl-C, Ctrl-D, or the terminal is gone
			return "", fmt.Errorf("%w: nothing was kept", console.ErrInterrupted)
		case err != nil && !errors.Is(err, term.ErrPasteIndicator):
			return "", fmt.Errorf("read the secret from the terminal: %w", err)
		case len([]rune(line)) >= maxTyped:
			return "", fmt.Errorf("a line has fewer than %d characters on a terminal; give the secret by a pipe", maxTyped)
		}
		lines = append(lines, line)
		text := strings.Join(lines, "\n")
		if line == "" || !strings.HasPrefix(strings.TrimSpace(text), "{") || jsontext.Value(text).IsValid() {
			return strings.TrimRight(text, "\n"), nil
		}
		prompt = ""
	}
}
