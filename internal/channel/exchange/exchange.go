// Package exchange is one HTTP request to a provider of notifications: facts, no
// classes. Which outcome they mean is the senders' to say.
package exchange

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/efferent/efferent/internal/retryafter"
)

const (
	// timeout bounds one exchange as a whole.
	timeout = 10 * time.Second
	// maxAnswer is what is read of an answer, in bytes: a provider's is a few
	// hundred.
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
		TLSHandshakeTimeout: timeout, MaxResponseHeaderBytes: maxAnswer,
	}
}

// NewTransportBy is that through a proxy, which is never the environment's; nil is
// none.
func NewTransportBy(proxy *url.URL) *http.Transport {
	t := NewTransport()
	if proxy != nil {
		t.Proxy = http.ProxyURL(proxy)
	}
	return t
}

// Answer is what is known after one request.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte // the first 64 KiB
	// Err is why no whole answer came; nil otherwise. It may hold the URL, and
	// Slack's is a secret: show its kind only.
	Err error
	// Connected says that the request was given a connection: the provider may
	// have seen it, whatever became of the answer.
	Connected bool
}

// Post sends one request, once, and follows no redirect. It takes 10 seconds at
// most.
func Post(ctx context.Context, rt http.RoundTripper, url string, header http.Header, body []byte) Answer {
	return Do(ctx, rt, http.MethodPost, url, header, body)
}

// Do is Post by another method.
func Do(ctx context.Context, rt http.RoundTripper, method, url string, header http.Header, body []byte) (a Answer) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ctx, connected := Watch(ctx)
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return Answer{Err: err}
	}
	req.GetBody = nil // nothing may be sent twice
	req.Header = header
	req.Header.Set("User-Agent", "Efferent/1")
	resp, err := rt.RoundTrip(req)
	if err != nil {
		return Answer{Err: err, Connected: connected()}
	}
	defer resp.Body.Close()
	a = Answer{Status: resp.StatusCode, Header: resp.Header, Connected: true}
	a.Body, a.Err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return a
}

// Watch returns a context for one HTTP request, and a function that tells
// whether the request was given a connection: from then on the server may have
// seen it, whatever became of the answer.
func Watch(ctx context.Context) (context.Context, func() bool) {
	var got atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Store(true) }}
	return httptrace.WithClientTrace(ctx, trace), got.Load
}

// RetryAfter is how long the answer asks to wait, a day at most; 0 without
// that.
func (a Answer) RetryAfter(now time.Time) time.Duration {
	return min(retryafter.Parse(a.Header.Get("Retry-After"), now), maxRetryAfter)
}
