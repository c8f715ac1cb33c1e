//go:build e2e

package clients

import (
	"os"
	"testing"
)

// TestClients runs them at the same time: most of it is waiting. EFFERENT is the
// command, PYTHON an interpreter that has the requirements.
func TestClients(t *testing.T) {
	env := []string{"AWS_ENDPOINT_URL=" + endpoint(t)}
	python := os.Getenv("PYTHON")
	for name, command := range map[string][]string{
		"celery":       {"python", python, "-m", "unittest", "-v", "test_celery.TestCelery"},
		"kombu":        {"python", python, "-m", "unittest", "-v", "test_celery.TestKombu"},
		"dramatiq":     {"python", python, "-m", "unittest", "-v", "test_dramatiq"},
		"sqs-consumer": {"node", "node", "--test", "--test-timeout=600000"},
		"gocloud":      {"gocloud", "go", "test", "-count=1", "."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run(t, command[0], env, command[1:]...)
		})
	}
}
