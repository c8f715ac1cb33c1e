package devtest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/dev"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/localaws/secretserver"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
)

// StartEndpoint serves SQS and Secrets Manager with nothing that works on the
// queues, as LocalStack would.
func StartEndpoint(t *testing.T) *commandtest.Running {
	t.Helper()
	db, engine := commandtest.MemoryEngine(t)
	secrets, err := secretserver.Open(t.Context(), sqlite.NewSecrets(db), secretserver.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := dev.CreateQueues(context.Background(), engine, settings.DefaultMaxReceives); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(dev.AWSRouter(sqsserver.NewHandler(engine), secretserver.NewHandler(secrets), http.NotFoundHandler()))
	t.Cleanup(func() { engine.Close(); server.Close() }) // who polls is not waited for
	s := commandtest.ConnectTo(t, server.URL, "")
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	return s
}
