package webhook

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func asPEM(kind string, b []byte) string { return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b})) }

// TestPrivateAuthority: a bundle's authorities are trusted, besides the machine's.
func TestPrivateAuthority(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	roots, err := ParseRoots("our own:\n" + asPEM("CERTIFICATE", server.Certificate().Raw) + "\nthe end\n")
	if err != nil {
		t.Fatal(err)
	}
	c := client(t, func(o *Options) { o.TLS = &tls.Config{RootCAs: roots} })
	if x := c.Post(t.Context(), request(t, server.URL)); x.Status != http.StatusOK {
		t.Errorf("got %+v", x)
	}
	if x := client(t).Post(t.Context(), request(t, server.URL)); x.Status != 0 || !strings.HasPrefix(x.Err.Error(), "TLS: ") || !x.Unreachable {
		t.Errorf("without the bundle: %+v", x)
	}
	system, err := x509.SystemCertPool()
	if err != nil {
		t.Fatal(err)
	}
	system.AddCert(server.Certificate())
	if !roots.Equal(system) {
		t.Error("the machine's own authorities are not trusted any more")
	}
}

func TestParseRootsRefuses(t *testing.T) {
	t.Parallel()
	good := asPEM("CERTIFICATE", certificate.Leaf.Raw)
	for name, c := range map[string]struct{ bundle, says string }{
		"nothing":            {"", "no certificate"},
		"no PEM":             {"hunter2", "no certificate"},
		"DER":                {string(certificate.Leaf.Raw), "no certificate"},
		"a key":              {asPEM("PRIVATE KEY", []byte("hunter2")), `block 1 is no certificate but a "PRIVATE KEY"`},
		"a key behind it":    {good + asPEM("PRIVATE KEY", []byte("hunter2")), `block 2 is no certificate but a "PRIVATE KEY"`},
		"one that is broken": {good + asPEM("CERTIFICATE", []byte("hunter2")), "certificate 2 can't be read"},
	} {
		if roots, err := ParseRoots(c.bundle); err == nil || roots != nil || !strings.Contains(err.Error(), c.says) ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
