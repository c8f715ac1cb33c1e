package console

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
)

// lastMoment is how long an interrupted command may take to say so.
const lastMoment = time.Second

// stopped is why a context ended: somebody pressed Ctrl-C, or told the process to
// end.
type stopped struct{ signal syscall.Signal }

func (s stopped) Error() string { return s.signal.String() }

// UntilSignal ends its context with the first signal. A second one ends the
// process.
func UntilSignal(ctx context.Context) (context.Context, func()) {
	ctx, end := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		select {
		case s := <-signals:
			signal.Stop(signals)
			end(stopped{s.(syscall.Signal)}) // on all systems it is one
		case <-ctx.Done():
		}
	}()
	return ctx, func() { end(nil) }
}

// ExitCode is what the process ends with. Where nobody reads standard output any
// more SIGPIPE has ended it before (package os/signal, "SIGPIPE").
func ExitCode(ctx context.Context, err error) int {
	var verdict verdictError
	var usage UsageError
	var by stopped
	interrupted := errors.Is(err, ErrInterrupted)
	switch {
	case interrupted && errors.As(context.Cause(ctx), &by):
		return 128 + int(by.signal)
	case interrupted: // Ctrl-C on a raw terminal is no signal
		return 128 + int(syscall.SIGINT)
	case errors.As(err, &verdict):
		return verdict.code
	case errors.As(err, &usage):
		return ExitUsage
	}
	return 1
}

// patient are the commands that serve: they end what they have in hand.
var patient = map[string]bool{"dev": true, "worker": true}

// Finished runs a command. One that a signal has interrupted is not waited for,
// if it is not one that serves: it may hang on what does not know of signals,
// such as standard input.
func Finished(ctx context.Context, command *kong.Context) error {
	ended := make(chan error, 1)
	go func() { ended <- command.Run() }()
	if patient[command.Selected().Name] {
		return <-ended
	}
	select {
	case err := <-ended:
		return interruption(ctx, err)
	case <-ctx.Done():
	}
	select {
	case err := <-ended:
		return interruption(ctx, err)
	case <-time.After(lastMoment):
		return ErrInterrupted
	}
}

// interruption says of an error that a signal was the reason, where it was.
func interruption(ctx context.Context, err error) error {
	switch {
	case err == nil || ctx.Err() == nil || errors.Is(err, ErrInterrupted):
		return err
	case errors.Is(err, context.Canceled):
		return ErrInterrupted
	}
	return fmt.Errorf("%w: %w", ErrInterrupted, err)
}

// ErrInterrupted says that somebody pressed Ctrl-C.
var ErrInterrupted = errors.New("interrupted")

// verdictError is an error that says which exit code it is.
type verdictError struct {
	code int
	error
}

func (v verdictError) Unwrap() error { return v.error }

// Verdict is an error that ends the process with an exit code.
func Verdict(code int, err error) error { return verdictError{code, err} }

// The exit codes of the commands that verify.
const (
	ExitChanged  = 1
	ExitCantTell = 2
)
