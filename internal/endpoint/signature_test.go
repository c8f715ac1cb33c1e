package endpoint_test

import (
	"errors"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/webhook"
)

// TestSignatureOfAnEndpoint follows the option from what is kept to what is sent.
func TestSignatureOfAnEndpoint(t *testing.T) {
	t.Parallel()
	e := endpoint.Endpoint{
		ID: endpoint.NewID(), Tenant: "acme", URL: "https://a.test/", EventTypes: []string{"*"}, Secret: "efferent/webhooks/acme#e",
		State: endpoint.Enabled, Signature: &webhook.Signature{Scheme: webhook.SchemeOutpost, Only: true},
	}
	ready, err := e.Check()
	if err != nil {
		t.Fatal(err)
	}
	if r := (webhook.Message{}).To(ready.Target).Request("evt_1", nil, time.Time{}); r.Signature != e.Signature {
		t.Errorf("sent by %v", r.Signature)
	}
	e.Signature = &webhook.Signature{Scheme: webhook.SchemeSvix, Hash: "sha512"}
	var wrong *message.FieldError
	if _, err := e.Check(); !errors.As(err, &wrong) || wrong.Field != "signature.hash" {
		t.Errorf("got %v", err)
	}
	e.Signature = nil
	if ready, err := e.Check(); err != nil || ready.Target.Signature != nil {
		t.Errorf("got %v, %v", ready, err)
	}
}
