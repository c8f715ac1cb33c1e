package console

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// YesFlag is on commands that may touch more than one message.
type YesFlag struct {
	Yes bool `short:"y" help:"Do not ask before more than one message is touched."`
}

// Confirm asks the person at the terminal; where there is none, only --yes is a
// yes. question is made only to be asked.
func (y *YesFlag) Confirm(ctx context.Context, question func() (string, error)) error {
	switch {
	case y.Yes:
		return nil
	case !canAsk():
		return Misusedf("this may touch more than one message, and there is no terminal to ask on: use --yes if you mean it")
	}
	text, err := question()
	if err != nil {
		return err
	}
	return ask(ctx, os.Stdin, os.Stderr, text)
}

// ConfirmOne is confirm for what touches one thing only, and can't be undone.
func (y *YesFlag) ConfirmOne(ctx context.Context, question string) error {
	switch {
	case y.Yes:
		return nil
	case !canAsk():
		return Misusedf("this can't be undone, and there is no terminal to ask on: use --yes if you mean it")
	}
	return ask(ctx, os.Stdin, os.Stderr, question)
}

// canAsk reports whether there is somebody to ask.
func canAsk() bool {
	return term.IsTerminal(int(os.Stdin.Fd())) && term.IsTerminal(int(os.Stderr.Fd()))
}

// ask returns nil for a yes. It does not wait longer than ctx.
func ask(ctx context.Context, in io.Reader, out io.Writer, question string) error {
	fmt.Fprint(out, question, " [y/N] ")
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(in).ReadString('\n') // what broke off is no yes
		answer <- line
	}()
	select {
	case line := <-answer:
		if said := strings.ToLower(strings.TrimSpace(line)); (said == "y" || said == "yes") && strings.HasSuffix(line, "\n") {
			return nil
		}
		return errors.New("nothing was done")
	case <-ctx.Done():
		fmt.Fprintln(out)
		return fmt.Errorf("%w: nothing was done", ErrInterrupted)
	}
}
