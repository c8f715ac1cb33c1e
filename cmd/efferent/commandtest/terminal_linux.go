package commandtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/rivo/uniseg"
	"golang.org/x/sys/unix"
)

// Terminal is a pseudo terminal that a command runs on, and what it showed.
type Terminal struct {
	t       *testing.T
	cmd     *exec.Cmd
	Control *os.File

	mu     sync.Mutex
	screen strings.Builder
	news   chan struct{}
}

// OnTerminal starts a command on a terminal of so many columns.
func OnTerminal(t *testing.T, columns uint16, cmd *exec.Cmd) *Terminal {
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
	x := &Terminal{t: t, cmd: cmd, Control: control, news: make(chan struct{}, 1)}
	go x.watch()
	return x
}

func (x *Terminal) watch() {
	defer close(x.news)
	for b := make([]byte, 4096); ; {
		n, err := x.Control.Read(b)
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

// Shown is what the terminal has been written.
func (x *Terminal) Shown() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.screen.String()
}

// Await waits until text was shown.
func (x *Terminal) Await(text string) {
	x.t.Helper()
	late := time.After(Soon)
	for open := true; !strings.Contains(x.Shown(), text); {
		if !open {
			x.t.Fatalf("it ended and never showed %q: %q", text, x.Shown())
		}
		select {
		case _, open = <-x.news:
		case <-late:
			_ = x.cmd.Process.Kill()
			x.t.Fatalf("it does not show %q: %q", text, x.Shown())
		}
	}
}

// Typed types a text.
func (x *Terminal) Typed(text string) {
	x.t.Helper()
	if _, err := x.Control.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

// End waits for the command's end and returns its exit code.
func (x *Terminal) End() int {
	x.t.Helper()
	_ = x.cmd.Wait()
	for range x.news { // until all is read
	}
	return x.cmd.ProcessState.ExitCode()
}

// Fits fails the test where a line is wider than the screen.
func Fits(t *testing.T, shown string, width int) {
	t.Helper()
	for line := range strings.Lines(shown) {
		line = strings.TrimSuffix(line, "\n")
		if strings.ContainsFunc(line, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q steers the terminal", line)
		}
		if width > 0 && uniseg.StringWidth(line) > width && len(strings.Fields(line)) > 1 {
			t.Errorf("wider than %d: %q", width, line)
		}
	}
}
