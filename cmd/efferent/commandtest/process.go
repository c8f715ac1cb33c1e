// Package commandtest is for tests only: it runs the command as a process, on a scripted
// API, on a terminal, or against an Efferent that runs somewhere. It knows the command
// from outside only, so that every room may use it.
package commandtest

import (
	"bufio"
	"context"
	"fmt"
	"io"
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
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// asCommand makes the test binary be the efferent command, so that tests have
// real processes to kill.
const asCommand = "EFFERENT_TEST_AS_COMMAND"

// Main makes this process the command, if it was started to be that, and runs
// the tests otherwise.
func Main(m *testing.M, efferent func()) {
	if os.Getenv(asCommand) != "" {
		efferent()
	}
	os.Exit(m.Run())
}

// Running is an Efferent in this process or another, and clients for it.
type Running struct {
	scenario.Stack
	t               *testing.T
	AWSURL, HTTPURL string
}

func (s *Running) connect() {
	config := scenario.Config(s.AWSURL)
	s.SQS, s.Secrets = sqs.NewFromConfig(config), secretsmanager.NewFromConfig(config)
	s.API = func(ctx context.Context, method, path, body string) (int, []byte, error) {
		req, err := http.NewRequestWithContext(ctx, method, s.HTTPURL+path, strings.NewReader(body))
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
	// A delivery that the API does not know yet has no attempts.
	s.History = func(ctx context.Context, id string) ([]attempt.Record, error) {
		status, answer, err := s.API(ctx, http.MethodGet, "/api/v1/deliveries/"+id, "")
		if err != nil || status == http.StatusNotFound {
			return nil, err
		}
		var d replay.Delivery
		return d.Attempts, json.Unmarshal(answer, &d)
	}
}

// Local runs a command's subcommand against s, which must succeed.
func (s *Running) Local(t *testing.T, command string, args ...string) (stdout, stderr string) {
	t.Helper()
	stdout, stderr, err := s.Command("", append([]string{command, args[0], "--dev"}, args[1:]...)...)
	if err != nil {
		t.Fatalf("%s %v: %v, %s", command, args, err, stderr)
	}
	return stdout, stderr
}

// ConnectTo makes the clients of an Efferent.
func ConnectTo(t *testing.T, awsURL, httpURL string) *Running {
	s := &Running{t: t, AWSURL: awsURL, HTTPURL: httpURL}
	s.connect()
	return s
}

// RunHere runs an Efferent in this process until the test ends.
func RunHere(t *testing.T, run func(context.Context) error, awsURL, httpURL string) *Running {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	return ConnectTo(t, awsURL, httpURL)
}

// Soon is how long a test waits for what should come at once: long, for the
// machine may be busy with other things.
const Soon = 5 * time.Minute

// Process is efferent as a process of its own.
type Process struct {
	*Running
	Cmd    *exec.Cmd
	Stderr strings.Builder
}

var readyLine = regexp.MustCompile(`^ready (?:aws=(http://\S+) http=(http://\S+) data=\S+|` +
	`queues=\S+ store=\S+ http=(http://\S+)(?: health=http://\S+)?)\n$`)

// StartProcess starts the command with more of an environment; it says that it is ready.
func StartProcess(t *testing.T, env []string, args ...string) *Process {
	t.Helper()
	c := Command(args...)
	c.Env = append(c.Env, env...)
	return Launch(t, c)
}

// Launch starts c, which says that it is ready.
func Launch(t *testing.T, c *exec.Cmd) *Process {
	t.Helper()
	p := &Process{Running: &Running{t: t}, Cmd: c}
	p.Cmd.Stderr = &p.Stderr
	out, err := p.Cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Cmd.Process.Kill(); _ = p.Cmd.Wait() })
	line, _ := bufio.NewReader(out).ReadString('\n')
	found := readyLine.FindStringSubmatch(line)
	if found == nil {
		_ = p.Cmd.Wait()
		t.Fatalf("%v said %q and, on stderr, %s", c.Args, line, p.Stderr.String())
	}
	p.AWSURL, p.HTTPURL = found[1], found[2]+found[3]
	p.connect()
	return p
}

// Command is this process again, to be the command.
func Command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	c.Env = append(os.Environ(), asCommand+"=1")
	return c
}

// Kill ends it as a crash would.
func (p *Process) Kill() {
	_ = p.Cmd.Process.Kill()
	_ = p.Cmd.Wait()
}

// Terminate asks it to end, and waits until it has.
func (p *Process) Terminate() error {
	if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.Cmd.Wait()
}

// SendMany sends messages <name>-0, <name>-1, … of a tenant of that name.
func (s *Running) SendMany(t *testing.T, name, url string, n int) {
	t.Helper()
	for first := 0; first < n; first += 10 {
		var texts []string
		for k := first; k < min(first+10, n); k++ {
			texts = append(texts, scenario.Text(fmt.Sprintf("%s-%d", name, k), url, `"tenant":"`+name+`"`))
		}
		s.Send(t, texts...)
	}
}

// CircuitWith lists circuits until one is as it should be.
func (s *Running) CircuitWith(t *testing.T, is func(replay.Circuit) bool) replay.Circuit {
	t.Helper()
	var all replay.Circuits
	for end := time.Now().Add(Soon); time.Now().Before(end); {
		out, _ := s.Local(t, "circuits", "list", "--json", "--phase", "all", "--scope", "endpoint")
		all = replay.Circuits{}
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		for _, c := range all.Items {
			if is(c) {
				return c
			}
		}
	}
	t.Fatalf("the circuits are %+v", all.Items)
	return replay.Circuit{}
}

// CloseCircuit closes the circuit of an endpoint once it is open.
func (s *Running) CloseCircuit(t *testing.T, url string) {
	t.Helper()
	c := s.CircuitWith(t, func(c replay.Circuit) bool { return c.URL == url && c.Phase != replay.PhaseClosed })
	s.Local(t, "circuits", "close", c.ID)
}

// Command runs efferent against s and returns what it printed.
func (s *Running) Command(stdin string, args ...string) (stdout, stderr string, err error) {
	s.t.Helper()
	c := Command(args...)
	c.Env = append(c.Env, "AWS_ENDPOINT_URL="+s.AWSURL, "EFFERENT_API_URL="+s.HTTPURL)
	var out, errs strings.Builder
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &errs
	err = c.Run()
	return out.String(), errs.String(), err
}

// DLQ runs one of the dlq commands against s, which must succeed.
func (s *Running) DLQ(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	return s.Local(t, "dlq", args...)
}

// Parked lists a queue until it holds n items, and as many by SQS's own count.
func (s *Running) Parked(t *testing.T, queue string, n int) []replay.Item {
	t.Helper()
	var all replay.Items
	for end := time.Now().Add(Soon); time.Now().Before(end); {
		out, _ := s.DLQ(t, "list", "--json", "--limit", "all", "--queue", queue)
		all = replay.Items{}
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		if len(all.Items) == n && all.ApproximateTotal == n {
			return all.Items
		}
	}
	t.Fatalf("%s holds %+v, want %d", queue, all, n)
	return nil
}

// Queues runs queues create against s, which must succeed.
func (s *Running) Queues(t *testing.T, args ...string) string {
	t.Helper()
	stdout, stderr, err := s.Command("", append([]string{"queues", "create", "--dev"}, args...)...)
	if err != nil {
		t.Fatalf("queues create %v: %v, %s", args, err, stderr)
	}
	return stdout
}

// Waiting runs one of the waiting commands against s, which must succeed.
func (s *Running) Waiting(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	return s.Local(t, "waiting", args...)
}

// WaitFor lists the waiting room until it holds n messages.
func (s *Running) WaitFor(t *testing.T, n int) []replay.WaitingItem {
	t.Helper()
	var all replay.WaitingItems
	for end := time.Now().Add(Soon); time.Now().Before(end); {
		out, _ := s.Waiting(t, "list", "--each", "--json", "--limit", "all")
		all = replay.WaitingItems{}
		if err := json.Unmarshal([]byte(out), &all); err != nil {
			t.Fatalf("%v in %s", err, out)
		}
		if len(all.Items) == n {
			return all.Items
		}
	}
	t.Fatalf("%+v wait, want %d", all.Items, n)
	return nil
}

// Health waits until the worker is as it should be, and returns what it says.
func (p *Process) Health(t *testing.T, path string, status int) (said string) {
	t.Helper()
	for end := time.Now().Add(Soon); ; time.Sleep(20 * time.Millisecond) {
		got, body, err := p.API(t.Context(), http.MethodGet, path, "")
		if err == nil && got == status {
			return string(body)
		}
		if time.Now().After(end) {
			t.Fatalf("%s is %d %s, %v; want %d", path, got, body, err, status)
		}
	}
}
