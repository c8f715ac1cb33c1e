//go:build e2e || java

package clients

import (
	"bytes"
	"os"
	"os/exec"
	"testing"

	"github.com/efferent/efferent/e2e/program"
)

// run runs a client's tests by its own runner, in the folder of its language.
// What that prints is shown when it fails.
func run(t *testing.T, dir string, env []string, command ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	cmd.Env = append(cmd.Env, "AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		t.Errorf("%v: %v\n%s", command, err, &output)
	}
}

// endpoint is where SQS is: AWS_ENDPOINT_URL, or an efferent dev that ends with
// the test.
func endpoint(t *testing.T) string {
	t.Helper()
	if url := os.Getenv("AWS_ENDPOINT_URL"); url != "" {
		return url
	}
	address, err := program.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	dev := exec.Command(os.Getenv("EFFERENT"), "dev", "--aws", address, "--http", "127.0.0.1:0", "--data", ":memory:")
	server, err := program.Start(t.Context(), dev, t.TempDir(), program.Listens(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Stop()
		if t.Failed() {
			t.Logf("efferent dev: %s", server.Output())
		}
	})
	return "http://" + address
}
