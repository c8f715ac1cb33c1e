package commandline

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// TestReaderHasEnough: `efferent … | head` ends without a word, also where SIGPIPE is
// ignored, as by Python's subprocess.
func TestReaderHasEnough(t *testing.T) {
	t.Parallel()
	for name, script := range map[string]string{
		"as it comes": `"$0" dlq list --limit all | head -1; echo "${PIPESTATUS[0]}"`,
		"ignored":     `trap "" PIPE; "$0" dlq list --limit all | head -1; echo "${PIPESTATUS[0]}"`,
		"as JSON":     `trap "" PIPE; "$0" dlq list --limit all --json | head -c 1 >/dev/null; code=${PIPESTATUS[0]}; echo; echo $code`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			many := commandtest.Ok(replay.Items{Items: commandtest.Items(1, 5000), ApproximateTotal: 5000})
			api := commandtest.ScriptAPI(t, many)
			cmd := exec.Command("bash", "-c", script, os.Args[0])
			cmd.Env = api.Prepare().Env
			got := commandtest.Finish(cmd)
			if lines := strings.Split(got.Stdout, "\n"); got.Stderr != "" || len(lines) < 2 || lines[1] != "141" {
				t.Errorf("exit code %d, %q, %q", got.Code, got.Stdout, got.Stderr)
			}
		})
	}
}

// TestInterruptedWhileItReads: what waits for standard input ends with Ctrl-C, too,
// and what is told to end, by the code of that signal.
func TestInterruptedWhileItReads(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		signal syscall.Signal
		code   int
		args   []string
	}{
		"Ctrl-C": {syscall.SIGINT, 130, []string{"send", "--url", "https://a.test", "--secret", commandtest.HookSecret, "--event", "a",
			"--body-file", "-"}},
		"SIGTERM": {syscall.SIGTERM, 143, []string{"notify", "--channel", "email", "--recipient", "a@b.test", "--body-file", "-"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := commandtest.Command(c.args...)
			in, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			// It reads more than a pipe holds, so it is reading when all is written.
			var stderr strings.Builder
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if _, err := in.Write(make([]byte, 1<<17)); err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != c.code || stderr.String() != "efferent: interrupted\n" {
				t.Errorf("exit code %d, %q", code, stderr.String())
			}
		})
	}
}
