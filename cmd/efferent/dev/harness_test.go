package dev

import (
	"log/slog"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
)

// startLocal runs Efferent in this process.
func startLocal(t *testing.T) *commandtest.Running {
	t.Helper()
	s := startData(t, ":memory:")
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	return s
}

// startData runs Efferent in this process on a data file.
func startData(t *testing.T, data string) *commandtest.Running {
	t.Helper()
	return startWith(t, data, nil)
}

// startWith is startData with settings.
func startWith(t *testing.T, data string, env map[string]string) *commandtest.Running {
	t.Helper()
	return runLocal(t, openData(t, data, env))
}

// openData opens what runLocal then runs.
func openData(t *testing.T, data string, env map[string]string) *Local {
	t.Helper()
	l, err := Open(t.Context(), Config{AWS: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: data,
		Getenv: func(name string) string { return env[name] }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// runLocal runs it until the test ends.
func runLocal(t *testing.T, l *Local) *commandtest.Running {
	t.Helper()
	return commandtest.RunHere(t, l.Run, l.AWSURL, l.HTTPURL)
}
