// Package ministack starts MiniStack, an emulator of AWS that deploys our CDK
// app and runs the Go functions as processes, without Docker.
package ministack

import (
	"crypto/tls"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/efferent/efferent/e2e/certificate"
	"github.com/efferent/efferent/e2e/program"
)

// Server is a running MiniStack.
type Server struct {
	URL string
	// CA is the file of the certificate authority, "" without auth.
	CA string
}

// Start runs MiniStack on a free port of the loopback until the test ends. With
// auth it enforces IAM, over TLS with a certificate of its own. The command is in
// the environment variable MINISTACK (the Makefile installs it).
func Start(t *testing.T, auth bool) *Server {
	t.Helper()
	command := os.Getenv("MINISTACK")
	if command == "" {
		t.Fatal("MINISTACK does not name the ministack command: use make e2e or make test-dynamodb")
	}
	address, err := program.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := &Server{URL: "http://" + address}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + dir, "STATE_DIR=" + dir,
		"BIND_HOST=127.0.0.1", "GATEWAY_PORT=" + port, "IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0",
	}
	if auth {
		cert, err := certificate.Make(dir)
		if err != nil {
			t.Fatal(err)
		}
		s.URL, s.CA = "https://"+address, cert.Authority
		env = append(env, "AUTH=true", "USE_SSL=1", "MINISTACK_SSL_CERT="+cert.Certificate, "MINISTACK_SSL_KEY="+cert.Key,
			"AWS_CA_BUNDLE="+cert.Authority, "SSL_CERT_FILE="+cert.Authority,
			// The functions speak HTTP/1.1, as with AWS: over HTTP/2 the server's
			// HTTP library leaves one of many requests unanswered.
			"GODEBUG=http2client=0")
	}
	cmd := exec.Command(command)
	// The functions inherit this environment, so it holds nothing else. They are
	// its children, and end with it.
	cmd.Env = append(env, "AWS_ENDPOINT_URL="+s.URL)
	running, err := program.Start(t.Context(), cmd, dir, program.Listens(address))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		running.Stop()
		if t.Failed() {
			t.Logf("MiniStack and its functions said:\n%s", running.Output())
		}
	})
	return s
}

// Client is an HTTP client that trusts s.
func (s *Server) Client() (*http.Client, error) {
	if !strings.HasPrefix(s.URL, "https:") {
		return http.DefaultClient, nil
	}
	roots, err := certificate.Pool(s.CA)
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}, nil
}
