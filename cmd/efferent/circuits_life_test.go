package main

import (
	"testing"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/settings"
)

// startQuick runs Efferent in this process, with circuits that open for so long.
func startQuick(t *testing.T, limits string) *running {
	t.Helper()
	s := startWith(t, ":memory:", map[string]string{settings.CircuitLimits: limits})
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	return s
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	scenario.Answers(t, &startLocal(t).Stack)
}

func TestCircuits(t *testing.T) {
	t.Parallel()
	scenario.Circuits(t, &startQuick(t, "first=2s;longest=8s").Stack)
}
