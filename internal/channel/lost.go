package channel

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"

	"github.com/efferent/efferent/internal/shortage"
)

// Lost is the outcome of a request that no whole answer came to, but perhaps a status,
// or else 0. Its reason says what kind of error it was, never the error's own text.
func Lost(provider string, connected bool, status int, err error) Outcome {
	switch {
	case notURL(err):
		return Failed(Configuration, status, provider+": the configured URL is not one")
	case badCertificate(err):
		return Failed(Configuration, status, provider+": the server's TLS certificate is not trusted, or is for another name")
	case notTLS(err):
		return Failed(Configuration, status, provider+": the server does not speak TLS there: check the URL")
	case connected:
		return Failed(Unknown, status, provider+": "+KindOf(err)+" after the request was handed over: it may have been taken")
	}
	o := Failed(Transient, status, provider+": no connection: "+KindOf(err))
	o.Ours = shortage.Is(err)
	return o
}

func notURL(err error) bool {
	var bad *url.Error
	return errors.As(err, &bad) && bad.Op == "parse"
}

func badCertificate(err error) bool {
	var bad *tls.CertificateVerificationError
	return errors.As(err, &bad)
}

func notTLS(err error) bool {
	var record tls.RecordHeaderError
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &record)
}

// KindOf says in our own words how an exchange broke. An error's text may
// hold an address, a URL that is a secret, or what the server said.
func KindOf(err error) string {
	var dns *net.DNSError
	switch {
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case shortage.Is(err):
		return "no file descriptor, port or buffer is left here"
	case errors.As(err, &dns):
		return "the host's name can't be resolved"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return "time-out"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return "connection closed"
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return "the host can't be reached"
	}
	return "the connection failed"
}
