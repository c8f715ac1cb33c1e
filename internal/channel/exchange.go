package channel

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"github.com/efferent/efferent/internal/retryafter"
)

const (
	// httpTimeout bounds one exchange as a whole.
	httpTimeout = 10 * time.Second
	// maxAnswer is what is read of an answer: a provider's is a few hundred
	// bytes.
	maxAnswer     = 64 << 10
	maxRetryAfter = 24 * time.Hour
)

// NewTransport is what the senders speak HTTP by. Each exchange has its own
// connection: on a kept one, which the provider may have closed meanwhile,
// above all while a Lambda function was frozen, a failed request can't be told
// from one that was taken. HTTP/1.1 only, no proxy.
func NewTransport() *http.Transport {
	return &http.Transport{
		DisableKeepAlives: true, DisableCompression: true,
		TLSHandshakeTimeout: httpTimeout, MaxResponseHeaderBytes: maxAnswer,
	}
}

// exchange is one request to a provider and what is known of it afterwards.
type exchange struct {
	status int
	header http.Header
	body   []byte // the first maxAnswer bytes
	// lost is the outcome when no whole answer came; nil otherwise.
	lost *Outcome
}

// post sends one request, once, and follows no redirect. The errors in lost
// never hold the URL: Slack's is a secret.
func post(ctx context.Context, rt http.RoundTripper, provider, url string, header http.Header, body []byte) exchange {
	ctx, cancel := context.WithTimeout(ctx, httpTimeout)
	defer cancel()
	ctx, connected := Watch(ctx)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		o := failed(Configuration, 0, provider+": the configured URL is not one")
		return exchange{lost: &o}
	}
	req.GetBody = nil // nothing may be sent twice
	req.Header = header
	req.Header.Set("User-Agent", "Efferent/1")
	resp, err := rt.RoundTrip(req)
	if err != nil {
		o := Lost(provider, connected(), err)
		return exchange{lost: &o}
	}
	defer resp.Body.Close()
	x := exchange{status: resp.StatusCode, header: resp.Header}
	if x.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
		o := Lost(provider, true, err)
		o.Status = x.status
		x.lost = &o
	}
	return x
}

// Watch returns a context for one HTTP request, and a function that tells
// whether the request was given a connection: from then on the server may have
// seen it, whatever became of the answer.
func Watch(ctx context.Context) (context.Context, func() bool) {
	var got atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Store(true) }}
	return httptrace.WithClientTrace(ctx, trace), got.Load
}

// Lost is the outcome of a request that no answer came to. Its reason says
// what kind of error it was, never the error's own text.
func Lost(provider string, connected bool, err error) Outcome {
	switch {
	case badCertificate(err):
		return failed(Configuration, 0, provider+": the server's TLS certificate is not trusted, or is for another name")
	case notTLS(err):
		return failed(Configuration, 0, provider+": the server does not speak TLS there: check the URL")
	case connected:
		return failed(Unknown, 0, provider+": "+kindOf(err)+" after the request was handed over: it may have been taken")
	}
	return failed(Transient, 0, provider+": no connection: "+kindOf(err))
}

func badCertificate(err error) bool {
	var bad *tls.CertificateVerificationError
	return errors.As(err, &bad)
}

func notTLS(err error) bool {
	var record tls.RecordHeaderError
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &record)
}

// retryAfter is how long a provider asks to wait, a day at most.
func retryAfter(h http.Header, now time.Time) time.Duration {
	return min(retryafter.Parse(h.Get("Retry-After"), now), maxRetryAfter)
}
