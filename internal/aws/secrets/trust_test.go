package awssecrets

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTrust(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	bundle := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	want, err := x509.SystemCertPool()
	if err != nil {
		t.Fatal(err)
	}
	want.AddCert(server.Certificate())
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte(bundle), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, "efferent/ca", "arn:aws:secretsmanager:us-east-1:000000000000:secret:efferent/ca-AbCdEf"} {
		if c, err := Trust(t.Context(), oneSecret{text: bundle}, name); err != nil || !c.RootCAs.Equal(want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if c, err := Trust(t.Context(), nil, ""); c != nil || err != nil {
		t.Errorf("without a bundle: %v, %v", c, err)
	}
}

func TestTrustErrors(t *testing.T) {
	t.Parallel()
	denied := errors.New("denied")
	for name, c := range map[string]struct {
		bundle string
		api    oneSecret
	}{
		"no such file":       {filepath.Join(t.TempDir(), "ca.pem"), oneSecret{}},
		"denied":             {"efferent/ca", oneSecret{err: denied}},
		"no certificate":     {"efferent/ca", oneSecret{text: "hunter2"}},
		"a secret of binary": {"efferent/ca", oneSecret{}},
	} {
		tls, err := Trust(t.Context(), c.api, c.bundle)
		if tls != nil || err == nil || !strings.Contains(err.Error(), c.bundle) || strings.Contains(err.Error(), "hunter2") ||
			!errors.Is(err, c.api.err) && c.api.err != nil {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
