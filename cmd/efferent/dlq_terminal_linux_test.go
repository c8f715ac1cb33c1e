package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// pty is a pseudo terminal that a command runs on, and what it showed.
type pty struct {
	t       *testing.T
	cmd     *exec.Cmd
	control *os.File

	mu     sync.Mutex
	screen strings.Builder
	news   chan struct{}
}

// onTerminal starts a command on a terminal of so many columns.
func onTerminal(t *testing.T, columns uint16, cmd *exec.Cmd) *pty {
	t.Helper()
	control, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { control.Close() })
	fd := int(control.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err := errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0),
		unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns})); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	x := &pty{t: t, cmd: cmd, control: control, news: make(chan struct{}, 1)}
	go x.watch()
	return x
}

func (x *pty) watch() {
	defer close(x.news)
	for b := make([]byte, 4096); ; {
		n, err := x.control.Read(b)
		x.mu.Lock()
		x.screen.Write(b[:n])
		x.mu.Unlock()
		if err != nil {
			return
		}
		select {
		case x.news <- struct{}{}:
		default:
		}
	}
}

func (x *pty) shown() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.screen.String()
}

// await waits until text was shown.
func (x *pty) await(text string) {
	x.t.Helper()
	late := time.After(soon)
	for open := true; !strings.Contains(x.shown(), text); {
		if !open {
			x.t.Fatalf("it ended and never showed %q: %q", text, x.shown())
		}
		select {
		case _, open = <-x.news:
		case <-late:
			_ = x.cmd.Process.Kill()
			x.t.Fatalf("it does not show %q: %q", text, x.shown())
		}
	}
}

func (x *pty) typed(text string) {
	x.t.Helper()
	if _, err := x.control.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

// end waits for the command's end and returns its exit code.
func (x *pty) end() int {
	x.t.Helper()
	_ = x.cmd.Wait()
	for range x.news { // until all is read
	}
	return x.cmd.ProcessState.ExitCode()
}

// TestConfirmation answers the question before each act that may touch more
// than one message. "^C" is Ctrl-C.
func TestConfirmation(t *testing.T) {
	t.Parallel()
	const replayPath = "POST /api/v1/dlq/webhook-failures/replay"
	counted := ok(replay.Items{Items: items(1, 1), ApproximateTotal: 1234, Cursor: "more"})
	count := "GET /api/v1/dlq?limit=1&queue=webhook-failures"
	matching := "GET /api/v1/dlq?limit=200&queue=webhook-failures&tenant=acme"
	for name, c := range map[string]struct {
		args, asks, types string
		answers           []answered
		requests          []string
		shows             string
		code              int
	}{
		"all, yes": {"replay --all", "Replay about 1,234 messages of webhook-failures to their queue? [y/N]", "y\n",
			[]answered{counted, started(move(deadletter.Completed, 1234))}, []string{count, replayPath + " {}"}, "1,234 replayed", 0},
		"all, no":     {"replay --all", "[y/N]", "n\n", []answered{counted}, []string{count}, "nothing was done", 1},
		"all, Enter":  {"replay --all", "[y/N]", "\n", []answered{counted}, []string{count}, "nothing was done", 1},
		"all, Ctrl-D": {"replay --all", "[y/N]", "\x04", []answered{counted}, []string{count}, "nothing was done", 1},
		"all, Ctrl-C": {"replay --all", "[y/N]", "\x03", []answered{counted}, []string{count}, "interrupted: nothing was done", 130},
		"a filter": {"replay --tenant acme", "Replay the 3 messages of webhook-failures that match to their queue? [y/N]", "YES\n",
			[]answered{ok(replay.Items{Items: items(1, 3), ApproximateTotal: 9}), some(deadletter.Completed, "", 3, 0, "")},
			[]string{matching, replayPath + ` {"tenant":"acme"}`}, "3 replayed of 10 looked at", 0},
		"a filter that takes many": {"replay --tenant acme", "that match, 200 or more, to their queue? [y/N]", "no\n",
			[]answered{ok(replay.Items{Items: items(1, 200), ApproximateTotal: 900, Cursor: "a"})}, []string{matching}, "nothing was done", 1},
		"a filter that takes nothing listed": {"replay --tenant acme",
			"None is listed that matches. Look for them in webhook-failures itself, about 9 messages", "no\n",
			[]answered{ok(replay.Items{ApproximateTotal: 9})}, []string{matching}, "nothing was done", 1},
		"a filter that the API refuses": {"replay --tenant acme", "no such queue", "", []answered{problem(404, "no such queue")},
			[]string{matching}, "no such queue", 1},
		"items": {"replay item-1 item-2", "Replay 2 messages of webhook-failures to their queue? [y/N]", "y\n",
			[]answered{oneItem(deadletter.Completed, "")},
			[]string{replayPath + "/item-1", replayPath + "/item-2"}, "item-1 replayed", 0},
		"discard": {"rm item-1 item-2", "Discard 2 messages of webhook-failures for good? [y/N]", "y\n", []answered{{status: 204}},
			[]string{"DELETE /api/v1/dlq/webhook-failures/item-1", "DELETE /api/v1/dlq/webhook-failures/item-2"}, "item-2 discarded", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := scriptAPI(t, c.answers...)
			x := onTerminal(t, 120, api.prepare(strings.Fields("dlq "+c.args)...))
			x.await(c.asks)
			x.typed(c.types)
			if code := x.end(); code != c.code || !strings.Contains(x.shown(), c.shows) {
				t.Errorf("exit code %d, shown %q", code, x.shown())
			}
			api.expect(t, c.requests...)
		})
	}
}

// TestProgress shows the bar of each kind of long work.
func TestProgress(t *testing.T) {
	t.Parallel()
	counted := ok(replay.Items{ApproximateTotal: 40})
	for name, c := range map[string]struct {
		args    string
		answers []answered
		shows   []string
	}{
		"a move task": {"replay --all --yes", []answered{started(move(deadletter.Running, 0)), moves(move(deadletter.Running, 617)),
			moves(move(deadletter.Completed, 1234))},
			[]string{"replayed  50% ", "(617/1234", "1,234 replayed from webhook-failures"}},
		"a filter": {"replay --tenant acme --yes", []answered{counted, some(deadletter.Running, "a", 3, 0, ""),
			some(deadletter.Completed, "", 2, 0, "")},
			[]string{"3 replayed; looked at  25% ", "5 replayed of 20"}},
		"items": {"replay item-1 item-2 --yes", []answered{oneItem(deadletter.Completed, "")}, []string{"replayed  50% ", "item-1 replayed"}},
		"a list": {"list --limit all", []answered{ok(replay.Items{Items: items(1, 10), ApproximateTotal: 40, Cursor: "a"}),
			ok(replay.Items{Items: items(11, 30), ApproximateTotal: 40})},
			[]string{"listed  25% ", "40 of about 40"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := scriptAPI(t, c.answers...)
			x := onTerminal(t, 120, api.prepare(strings.Fields("dlq "+c.args)...))
			if code := x.end(); code != 0 {
				t.Errorf("exit code %d", code)
			}
			mustHold(t, "the terminal", x.shown(), c.shows)
		})
	}
}

func TestAskWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	var said strings.Builder
	if err := ask(ctx, in, &said, "Really?"); !errors.Is(err, errInterrupted) || said.String() != "Really? [y/N] \n" {
		t.Errorf("%v after %q", err, said.String())
	}
}
