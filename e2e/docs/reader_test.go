//go:build e2e

package docs

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long one block may take; the first builds everything.
const patience = 4 * time.Minute

// reader is somebody who works through one page.
type reader struct {
	clone string
	// variables is a file with the variables that the blocks so far have set.
	variables string
	// here writes a command as it must be on this machine, where the pages'
	// ports may be in use; there writes its output as it would be with these.
	here, there *strings.Replacer
	env         []string
	// dev ends the efferent dev that is running; nil when none is.
	dev func()
}

// newReader reads a page with what serves SQS at an address; with an efferent dev
// where that is empty. The command is built already.
func newReader(t *testing.T, clone, command, sqs string) *reader {
	t.Helper()
	aws, http, mail := cmp.Or(sqs, freeAddress(t)), freeAddress(t), freeAddress(t)
	_, mailPort, err := net.SplitHostPort(mail)
	if err != nil {
		t.Fatal(err)
	}
	scratch, endpoint := t.TempDir(), freeAddress(t)
	r := &reader{
		clone: clone, variables: filepath.Join(scratch, "variables"),
		here: strings.NewReplacer(
			devCommand, command+" dev --aws "+aws+" --http "+http+" --data "+filepath.Join(scratch, "efferent.db")+"\n",
			"go run ./cmd/efferent demo", "go run ./cmd/efferent demo", "go run ./cmd/efferent", command,
			"efferent.ledger", filepath.Join(scratch, "efferent.ledger"),
			devAWS, aws, devHTTP, http, "127.0.0.1:9000", endpoint,
			"127.0.0.1:8025", mail, "SMTP_PORT=8025", "SMTP_PORT="+mailPort,
		),
		there: strings.NewReplacer(command, "go run ./cmd/efferent", scratch+string(filepath.Separator), "", aws, devAWS,
			http, devHTTP, endpoint, "127.0.0.1:9000",
			mail, "127.0.0.1:8025"),
		// By these, --dev finds it there.
		env: append(os.Environ(), "AWS_ENDPOINT_URL=http://"+aws, "EFFERENT_API_URL=http://"+http),
	}
	if sqs != "" {
		r.dev = func() {} // it is there, and the test's to end
	}
	return r
}

// devCommand is how the pages start the local stack.
const devCommand = "go run ./cmd/efferent dev\n"

// workerCommand is how they start a worker.
const workerCommand = "go run ./cmd/efferent worker "

// run runs one block, and reports whether it did what the page says.
func (r *reader) run(t *testing.T, at string, b block) bool {
	t.Helper()
	if b.needsDev() && r.dev == nil {
		r.serve(t, at, devCommand)
	}
	if b.Background {
		return r.serve(t, at, b.Text)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		cmd, printed := r.command(ctx, b.Text)
		err := cmd.Run()
		switch {
		case ctx.Err() != nil && b.Until != nil:
			t.Errorf("%s never printed %q, but\n%s", at, b.Until, printed)
			return false
		case err != nil:
			t.Errorf("%s: %v\n%s%s", at, err, b.Text, printed)
			return false
		case b.Until != nil && !b.Until.Match(printed.Bytes()):
			continue
		}
		if b.Output != "" && !expected(b.Output).MatchString(r.there.Replace(printed.String())) {
			t.Errorf("%s printed\n%s, and the page shows\n%s", at, printed, b.Output)
		}
		t.Logf("%s\n%s%s", at, b.Text, printed)
		return true
	}
}

// command is a block as a script that knows the variables of those before it, and
// all that it prints, in its order.
func (r *reader) command(ctx context.Context, text string) (cmd *exec.Cmd, printed *bytes.Buffer) {
	script := "set -e -a; trap 'export -p >" + r.variables + "' EXIT\n[ ! -e " + r.variables + " ] || . " + r.variables + "\n" +
		r.here.Replace(text)
	cmd = exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir, cmd.Env = r.clone, r.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what `go run` runs must end with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	printed = new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = printed, printed
	return cmd, printed
}

// serve starts what goes on until the page's end. An efferent dev ends the one
// before it, and is waited for until it says that it is ready.
func (r *reader) serve(t *testing.T, at, text string) bool {
	t.Helper()
	isDev := strings.Contains(text, devCommand)
	saysReady := isDev || strings.Contains(text, workerCommand)
	if isDev && r.dev != nil {
		r.dev()
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd, printed := r.command(ctx, text)
	watch := &readiness{ready: make(chan struct{})}
	if saysReady {
		cmd.Stdout = watch
	}
	if err := cmd.Start(); err != nil {
		cancel()
		t.Errorf("%s: %v", at, err)
		return false
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	stop := func() {
		defer cancel()
		if err := syscall.Kill(-cmd.Process.Pid, syscall.SIGINT); err != nil {
			return // it has ended
		}
		select {
		case <-ended:
		case <-time.After(patience):
			t.Errorf("%s does not end", at)
		}
	}
	if !isDev {
		t.Cleanup(stop)
	} else {
		r.dev = func() { stop(); r.dev = nil }
		t.Cleanup(func() {
			if r.dev != nil {
				r.dev()
			}
		})
	}
	if !saysReady {
		return true
	}
	select {
	case <-watch.ready:
		return true
	case err := <-ended:
		ended <- err
		t.Errorf("%s: it ended with %v\n%s", at, err, printed)
	case <-time.After(patience):
		t.Errorf("%s: it is not ready", at)
	}
	return false
}

// readiness watches an output for its first line, which must say ready.
type readiness struct {
	seen  []byte
	ready chan struct{}
}

func (r *readiness) Write(b []byte) (int, error) {
	if r.seen == nil && !bytes.HasPrefix(b, []byte("ready ")) {
		return 0, errors.New("it does not say that it is ready")
	}
	if r.seen == nil {
		close(r.ready)
	}
	r.seen = b
	return len(b), nil
}
