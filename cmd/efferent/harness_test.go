package main

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
)

// asCommand makes the test binary be the efferent command, so that tests have
// real processes to kill.
const asCommand = "EFFERENT_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// running is an Efferent in this process or another, and clients for it.
type running struct {
	scenario.Stack
	t               *testing.T
	awsURL, httpURL string
}

func (s *running) connect() {
	config := scenario.Config(s.awsURL)
	s.SQS, s.Secrets = sqs.NewFromConfig(config), secretsmanager.NewFromConfig(config)
	s.History = func(ctx context.Context, id string) ([]attempt.Record, error) {
		return attemptsOf(ctx, &apiFlags{API: s.httpURL}, id)
	}
	s.API = func(ctx context.Context, method, path, body string) (int, []byte, error) {
		req, err := http.NewRequestWithContext(ctx, method, s.httpURL+path, strings.NewReader(body))
		if err != nil {
			return 0, nil, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0, nil, err
		}
		defer resp.Body.Close()
		answer, err := io.ReadAll(resp.Body)
		return resp.StatusCode, answer, err
	}
}

// startLocal runs Efferent in this process.
func startLocal(t *testing.T) *running {
	t.Helper()
	s := startData(t, ":memory:")
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	return s
}

// startData runs Efferent in this process on a data file.
func startData(t *testing.T, data string) *running {
	t.Helper()
	return startWith(t, data, nil)
}

// local runs a command's subcommand against s, which must succeed.
func (s *running) local(t *testing.T, command string, args ...string) (stdout, stderr string) {
	t.Helper()
	stdout, stderr, err := s.command("", append([]string{command, args[0], "--dev"}, args[1:]...)...)
	if err != nil {
		t.Fatalf("%s %v: %v, %s", command, args, err, stderr)
	}
	return stdout, stderr
}

// startWith is startData with settings.
func startWith(t *testing.T, data string, env map[string]string) *running {
	t.Helper()
	return runLocal(t, openData(t, data, env))
}

// openData opens what runLocal then runs.
func openData(t *testing.T, data string, env map[string]string) *local {
	t.Helper()
	l, err := openLocal(t.Context(), localConfig{AWS: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: data,
		Getenv: func(name string) string { return env[name] }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// runLocal runs it until the test ends.
func runLocal(t *testing.T, l *local) *running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	s := &running{t: t, awsURL: l.awsURL, httpURL: l.httpURL}
	s.connect()
	return s
}

// soon is how long a test waits for what should come at once: long, for the
// machine may be busy with other things.
const soon = 5 * time.Minute

// process is efferent as a process of its own.
type process struct {
	*running
	cmd    *exec.Cmd
	stderr strings.Builder
}

var readyLine = regexp.MustCompile(`^ready (?:aws=(http://\S+) http=(http://\S+) data=\S+|` +
	`queues=\S+ store=\S+ http=(http://\S+)(?: health=http://\S+)?)\n$`)

func startProcess(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	c := command(args...)
	c.Env = append(c.Env, env...)
	return launch(t, c)
}

// launch starts c, which says that it is ready.
func launch(t *testing.T, c *exec.Cmd) *process {
	t.Helper()
	p := &process{running: &running{t: t}, cmd: c}
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	found := readyLine.FindStringSubmatch(line)
	if found == nil {
		_ = p.cmd.Wait()
		t.Fatalf("%v said %q and, on stderr, %s", c.Args, line, p.stderr.String())
	}
	p.awsURL, p.httpURL = found[1], found[2]+found[3]
	p.connect()
	return p
}

func command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asCommand+"=1")
	return c
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func (p *process) terminate() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}
