// Package ministack starts MiniStack, an emulator of AWS that deploys our CDK
// app and runs the Go functions as processes, without Docker.
package ministack

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/efferent/efferent/e2e/certificate"
)

// Options of a MiniStack.
type Options struct {
	// Program is the ministack command (make e2e installs it).
	Program string
	// Auth makes it enforce IAM, over TLS with a certificate of its own.
	Auth bool
	// Dir is for its temporary files and its output.
	Dir string
}

// Server is a running MiniStack.
type Server struct {
	URL string
	// CA is the file of the certificate authority, "" without Auth.
	CA     string
	cmd    *exec.Cmd
	output *os.File
}

// Start runs MiniStack on a free port of the loopback and waits until it
// answers.
func Start(ctx context.Context, o Options) (*Server, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://127.0.0.1:" + port}
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + o.Dir, "TMPDIR=" + o.Dir, "STATE_DIR=" + o.Dir,
		"BIND_HOST=127.0.0.1", "GATEWAY_PORT=" + port, "IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0",
	}
	if o.Auth {
		cert, err := certificate.Make(o.Dir)
		if err != nil {
			return nil, err
		}
		s.URL, s.CA = "https://127.0.0.1:"+port, cert.Authority
		env = append(env, "AUTH=true", "USE_SSL=1", "MINISTACK_SSL_CERT="+cert.Certificate, "MINISTACK_SSL_KEY="+cert.Key,
			"AWS_CA_BUNDLE="+cert.Authority, "SSL_CERT_FILE="+cert.Authority,
			// The functions speak HTTP/1.1, as with AWS: over HTTP/2 the server's
			// HTTP library leaves one of many requests unanswered.
			"GODEBUG=http2client=0")
	}
	if s.output, err = os.Create(filepath.Join(o.Dir, "ministack.log")); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(o.Program)
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = o.Dir, s.output, s.output
	// The functions inherit this environment, so it holds nothing else.
	s.cmd.Env = append(env, "AWS_ENDPOINT_URL="+s.URL)
	// Its functions are its children: they end with its process group.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start MiniStack: %w", err)
	}
	if err := s.answers(ctx, port); err != nil {
		return nil, errors.Join(fmt.Errorf("MiniStack does not answer: %w\n%s", err, s.Output()), s.Stop())
	}
	return s, nil
}

// Output is what it printed, the functions' logs too.
func (s *Server) Output() string {
	b, err := os.ReadFile(s.output.Name())
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b))
}

// Stop ends it and its functions.
func (s *Server) Stop() error {
	err := syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	_ = s.cmd.Wait() // it was killed
	return errors.Join(err, s.output.Close())
}

func (s *Server) answers(ctx context.Context, port string) error {
	ctx, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
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
