// Package devtest is for tests only: it runs efferent dev, or its AWS endpoint alone, in
// the test's own process.
package devtest

import (
	"log/slog"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/dev"
	"github.com/efferent/efferent/e2e/scenario"
)

// StartLocal runs Efferent in this process.
func StartLocal(t *testing.T) *commandtest.Running {
	t.Helper()
	s := StartData(t, ":memory:")
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	return s
}

// StartData runs Efferent in this process on a data file.
func StartData(t *testing.T, data string) *commandtest.Running {
	t.Helper()
	return StartWith(t, data, nil)
}

// StartWith is startData with settings.
func StartWith(t *testing.T, data string, env map[string]string) *commandtest.Running {
	t.Helper()
	return RunLocal(t, OpenData(t, data, env))
}

// OpenData opens what RunLocal then runs.
func OpenData(t *testing.T, data string, env map[string]string) *dev.Local {
	t.Helper()
	l, err := dev.Open(t.Context(), dev.Config{AWS: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: data,
		Getenv: func(name string) string { return env[name] }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// RunLocal runs it until the test ends.
func RunLocal(t *testing.T, l *dev.Local) *commandtest.Running {
	t.Helper()
	return commandtest.RunHere(t, l.Run, l.AWSURL, l.HTTPURL)
}
