package webhook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/retryafter"
	"github.com/efferent/efferent/internal/shortage"
	"github.com/efferent/efferent/internal/trace"
)

// DefaultTimeout bounds an exchange as a whole: DNS, connecting, TLS, sending
// and the answer's body.
const DefaultTimeout = 10 * time.Second

// A message may name a timeout of its own, from MinTimeout to MaxTimeout.
const (
	MinTimeout = time.Second
	MaxTimeout = 20 * time.Second
)

// userAgent is sent unless the message's own headers say otherwise.
const userAgent = "Efferent/1"

// Options of a Client. The zero value sends to public addresses by https.
type Options struct {
	// AllowHTTP says where plain http may go.
	AllowHTTP AllowHTTP
	// AllowPrefixes are networks that may be sent to though they are not
	// public.
	AllowPrefixes []netip.Prefix
	// Timeout of one exchange as a whole, where its message names none; 0 is
	// DefaultTimeout.
	Timeout time.Duration
	// MaxConnections is the most exchanges that are made at once, and the most
	// connections that are kept beside them; 0 is no bound. The others wait.
	MaxConnections int
	// Response is how many bytes of a failure's body are kept, up to
	// attempt.MaxResponse; 0 is attempt.ResponseLimit, and less than 0 none.
	Response int
	// Now is the clock that exchanges are measured by; nil is time.Now.
	Now func() time.Time
	// TLS and Resolver are Go's own defaults where nil.
	TLS      *tls.Config
	Resolver *net.Resolver
	// AllowPorts are those that may be connected to; nil is all.
	AllowPorts []PortRange
	// Proxy makes every connection, where it is not nil, as ParseProxy returns it; no
	// proxy is taken from the environment. It may have any address. Addresses are looked
	// up and checked here all the same, and the proxy is asked for what passed, unless
	// ProxyResolves: then it is given names, and to keep them from private addresses
	// is its own duty.
	Proxy         *url.URL
	ProxyResolves bool
}

// Client sends webhooks and keeps connections for the next ones. It is safe
// for concurrent use.
type Client struct {
	connections
	patient   connections // of exchanges that may take longer than timeout
	allowHTTP AllowHTTP
	ports     []PortRange
	timeout   time.Duration
	response  int
	now       func() time.Time
	places    chan struct{} // one is taken by each exchange; nil without a bound
}

// NewClient returns a Client that connects where o allows it.
func NewClient(o Options) *Client {
	c := &Client{allowHTTP: o.AllowHTTP, ports: o.AllowPorts, timeout: o.Timeout, now: o.Now}
	c.response = min(max(cmp.Or(o.Response, attempt.ResponseLimit), 0), attempt.MaxResponse)
	if c.timeout <= 0 {
		c.timeout = DefaultTimeout
	}
	if o.MaxConnections > 0 {
		c.places = make(chan struct{}, o.MaxConnections)
	}
	if c.now == nil {
		c.now = time.Now
	}
	kept := mostKept
	if o.MaxConnections > 0 {
		kept = min(kept, o.MaxConnections)
	}
	c.connections = newConnections(o, c.timeout, kept-kept/4)
	c.patient = newConnections(o, MaxTimeout, max(1, kept/4))
	return c
}

// Close closes the connections that are kept.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
	c.patient.transport.CloseIdleConnections()
}

// Request is one attempt at a delivery.
type Request struct {
	URL       string
	ID        string // becomes webhook-id
	EventType string
	// Headers are the producer's own, as Decode returns them.
	Headers http.Header
	// Body is sent as it is. It must not be changed afterwards: a connection
	// may still be reading it when Post has returned.
	Body []byte
	// Secrets sign, the current one first.
	Secrets []Secret
	// At is the time that the signature states.
	At time.Time
	// Signature signs besides, or instead of, Efferent's own headers; nil is those alone.
	Signature *Signature
	// Trace is the exchange's place in its producer's trace, which goes out as
	// traceparent and tracestate, unless Headers have a traceparent; none sends neither.
	Trace trace.Context
	// Timeout of the exchange, at most MaxTimeout; 0 is the Client's.
	Timeout time.Duration

	// Options asks by OPTIONS, without a body and a signature. Question says that the
	// answer matters, whatever its status: it is in the Exchange.
	Options, Question bool

	target *url.URL // URL, parsed, where a Message made the Request
}

// Exchange is what came of one Post.
type Exchange struct {
	// Status is the HTTP status; 0 where no answer came, and then Err or
	// Interrupted says why.
	Status int
	// Err may be shown to the message's owner. It never holds the URL's query,
	// a secret, or what was sent.
	Err error
	// Interrupted: the caller's context ended before an answer came. The
	// endpoint may have got the webhook or not.
	Interrupted bool
	// Ours: it was not sent for lack of something of our own, such as a file
	// descriptor, and Err says of what.
	Ours bool
	// Lost: the webhook was written to a kept connection, which then closed, or
	// no longer answered pings, without a byte of an answer. The endpoint may
	// have taken it, but has not refused it.
	Lost bool
	// Unreachable: no connection came about: DNS, TCP or TLS failed.
	Unreachable bool
	// Gone: the endpoint wants no more webhooks, ever: it answered 410, or with the
	// header "webhook-delivery: disable". Abort: it wants no more of this one
	// ("webhook-delivery: abort-message"; Standard Webhooks).
	Gone, Abort bool
	// Started is when the exchange had its place among MaxConnections.
	Started  time.Time
	Duration time.Duration
	// Slow: it took over four fifths of its timeout: an endpoint that goes on like
	// this will soon not answer in time.
	Slow bool
	// RetryAfter is how long the endpoint asked to be left alone (RFC 9110,
	// section 10.2.3), on 429 and 503 only; 0 where it did not.
	RetryAfter time.Duration
	// Response is the beginning of a failure's body: valid UTF-8 of at most
	// Options.Response bytes.
	Response string
	// Truncated: the answer's body went on after what was read of it, or after
	// what Response holds.
	Truncated bool
	// Answer is that to a question; nil where none came.
	Answer *Answer

	question bool
}

// Answer is what an endpoint has answered: its headers, and at most attempt.MaxResponse
// bytes of its body.
type Answer struct {
	Header http.Header
	Body   string
}

// Post sends one webhook. It follows no redirect. Once it has a place among
// MaxConnections it returns within the exchange's timeout; when ctx ends first, it
// returns at once.
//
// The endpoint gets it once. Where the endpoint provably did not process it
// (RFC 9113, section 8.7), or the kept connection turns out to be closed before
// anything was written to it, it is sent once more, on a new connection.
func (c *Client) Post(ctx context.Context, r Request) Exchange {
	req, err := c.request(r)
	if err != nil {
		return Exchange{Started: c.now(), Err: err}
	}
	placed := c.enter(ctx)
	x := Exchange{Started: c.now(), question: r.Question}
	if !placed {
		x.Interrupted, x.Err = true, errors.New("interrupted before there was a connection for it")
		return x
	}
	defer c.leave()
	timeout := cmp.Or(r.Timeout, c.timeout)
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err = c.send(bounded, c.within(timeout), req, r.Body, &x); err != nil {
		x.Interrupted = ctx.Err() != nil
		x.Unreachable = x.Unreachable && !x.Interrupted
		x.Err = explain(err, timeout, bounded.Err() != nil, x.Interrupted)
	}
	x.Duration = c.now().Sub(x.Started)
	x.Slow = x.Duration > timeout/5*4
	return x
}

// leastTime is what must be left of the caller's time when an exchange that had
// to wait begins: one that is cut may have been taken, and is made again.
const leastTime = time.Second

// within are the connections of exchanges that may take so long.
func (c *Client) within(timeout time.Duration) *connections {
	if timeout > c.timeout {
		return &c.patient
	}
	return &c.connections
}

// enter waits for a place among MaxConnections, and reports whether there was
// one in time.
func (c *Client) enter(ctx context.Context) bool {
	if c.places == nil {
		return true
	}
	select {
	case c.places <- struct{}{}:
		return true
	default:
	}
	if deadline, ok := ctx.Deadline(); ok {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadline(ctx, deadline.Add(-leastTime))
		defer stop()
	}
	select {
	case c.places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func (c *Client) leave() {
	if c.places != nil {
		<-c.places
	}
}

// send makes the exchange, on a new connection where a kept one proves to be
// of no use.
func (c *Client) send(ctx context.Context, over *connections, req *http.Request, body []byte, x *Exchange) error {
	w := new(watch)
	err := c.exchange(over.transport, withBody(httptrace.WithClientTrace(ctx, w.trace()), req, body), x)
	if err != nil && ctx.Err() == nil && w.fate(err) == unprocessed {
		w = new(watch)
		err = c.exchange(over.fresh, withBody(httptrace.WithClientTrace(ctx, w.trace()), req, body), x)
	}
	if err != nil && ctx.Err() == nil {
		x.Lost, x.Ours = w.fate(err) == lost, !w.got && (shortage.Is(err) || errors.Is(err, ErrProxy))
	}
	x.Unreachable = err != nil && !w.got && !x.Ours && !errors.Is(err, ErrBlockedAddress)
	return err
}

// request refuses what may not be sent and signs the rest.
func (c *Client) request(r Request) (*http.Request, error) {
	u := r.target
	if u == nil {
		var problem string
		if _, u, problem = parseURL(r.URL); problem != "" {
			return nil, &message.FieldError{Field: "url", Problem: problem}
		}
	}
	if err := checkPlace(c.allowHTTP, c.ports, u); err != nil {
		return nil, err
	}
	h := make(http.Header, 9+len(r.Headers))
	h["User-Agent"] = userAgentValue
	for name, values := range r.Headers {
		h[name] = values
	}
	method := http.MethodPost
	if r.Options {
		method = http.MethodOptions
	} else {
		h["Content-Type"] = contentTypeValue
		follow(h, r.Trace)
		if err := r.sign(h); err != nil {
			return nil, err
		}
	}
	return &http.Request{Method: method, URL: u, Host: u.Host, Header: h, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}, nil
}

// MayAsk reports whether a Retry-After beside a status is followed.
func MayAsk(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
}

// withBody is the request, ready to be sent once.
func withBody(ctx context.Context, req *http.Request, body []byte) *http.Request {
	req = req.WithContext(ctx)
	// net/http knows this pair of types not to block, and so sends headers and
	// body in one packet. Without GetBody it can't send them twice.
	if req.Method == http.MethodOptions {
		return req
	}
	req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return req
}

// Transports only read headers, so these are shared by all requests.
var (
	userAgentValue   = []string{userAgent}
	contentTypeValue = []string{"application/json"}
)

// deliveryHeader is what an endpoint may say about the webhooks to come.
const deliveryHeader = "Webhook-Delivery"

// exchange sends the request and reads the answer into x. Once there is a
// status there is no error: a body that breaks off is a truncated one.
func (c *Client) exchange(over *http.Transport, req *http.Request, x *Exchange) error {
	resp, err := over.RoundTrip(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 100 {
		return fmt.Errorf("the answer's status is %03d", resp.StatusCode)
	}
	x.Status = resp.StatusCode
	switch wish := resp.Header.Get(deliveryHeader); {
	case x.Status == http.StatusGone, strings.EqualFold(wish, "disable"):
		x.Gone = true
	case strings.EqualFold(wish, "abort-message"):
		x.Abort = true
	}
	if MayAsk(x.Status) {
		x.RetryAfter = retryafter.Parse(resp.Header.Get("Retry-After"), c.now())
	}
	switch {
	case x.Status == http.StatusSwitchingProtocols: // has no body; what follows is another protocol's
	case x.question:
		x.Answer = &Answer{Header: resp.Header}
		x.Answer.Body, x.Truncated = readResponse(resp.Body, attempt.MaxResponse)
	case x.Status/100 == 2:
		x.Truncated = drain(resp.Body)
	default:
		x.Response, x.Truncated = readResponse(resp.Body, c.response)
	}
	return nil
}
