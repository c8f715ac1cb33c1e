package webhook

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
)

// Classify says what an exchange means, taken by itself: Delivered, Retryable
// or Permanent, and in words why it failed. 401, 403 and 410 are Permanent
// here; what else they may call for is the caller's to know.
func Classify(x Exchange) (v attempt.Verdict, reason string) {
	switch {
	case x.Status == 0:
		return classifyError(x)
	case x.Status/100 == 2:
		return attempt.Delivered, ""
	}
	reason = strings.TrimSpace(strconv.Itoa(x.Status) + " " + http.StatusText(x.Status))
	switch {
	case x.Abort:
		return attempt.Permanent, reason + ": the endpoint wants this webhook no more (webhook-delivery: abort-message)"
	case x.Gone && x.Status != http.StatusGone:
		return attempt.Permanent, reason + ": the endpoint wants no more webhooks (webhook-delivery: disable)"
	case x.Status/100 == 3:
		return attempt.Permanent, reason + ": redirects are not followed"
	case x.Status/100 == 4 && !slices.Contains(passing, x.Status):
		return attempt.Permanent, reason
	}
	return attempt.Retryable, reason // 5xx, and what is no final status of HTTP at all, too
}

// passing are the 4xx that say that another time may do (RFC 9110, section
// 15.5.9; RFC 8470, section 5.2; RFC 6585, section 4).
var passing = []int{http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests}

func classifyError(x Exchange) (attempt.Verdict, string) {
	if x.Err == nil {
		return attempt.Retryable, "no answer"
	}
	for _, permanent := range []error{ErrBlockedAddress, ErrPlainHTTP, message.ErrMalformed, ErrSecretUnusable} {
		if errors.Is(x.Err, permanent) {
			return attempt.Permanent, x.Err.Error()
		}
	}
	return attempt.Retryable, x.Err.Error()
}

// maxReason bounds what a peer can put into an error, such as its malformed
// status line.
const maxReason = 300

// explain turns an error of net/http into one for the reader of a record.
func explain(err error, timeout time.Duration, timedOut, interrupted bool) error {
	var ours *refusal
	if errors.As(err, &ours) {
		return ours
	}
	switch {
	case interrupted:
		return errors.New("interrupted before an answer came")
	case timedOut:
		return &refusal{errTimedOut, fmt.Sprintf("no answer within %v", timeout)}
	}
	return &refusal{err, message.Shorten(inWords(err), maxReason)}
}

// describe says what an error of net/http is, by one of metric's reasons and in words.
func describe(err error) (failure, told string) {
	var dns *net.DNSError
	var op *net.OpError
	text := err.Error()
	switch {
	case errors.As(err, &dns):
		return metric.DNS, "DNS: " + dns.Err + ": " + dns.Name
	case aboutTLS(err):
		return metric.TLS, "TLS: " + strings.TrimPrefix(strings.TrimPrefix(text, "remote error: "), "tls: ")
	case errors.As(err, &op) && op.Op == "dial":
		return metric.Connect, "no connection: " + text
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		strings.Contains(text, "server closed idle connection"), strings.HasPrefix(text, "http2: server sent GOAWAY and closed"):
		return metric.Closed, "the connection was closed before an answer came"
	case strings.HasPrefix(text, "http2: client connection"):
		return metric.Closed, "the connection did not answer any more"
	case notProcessed.MatchString(text):
		return metric.Closed, "the endpoint took no request on its connections (HTTP/2 GOAWAY or REFUSED_STREAM)"
	case strings.Contains(text, "malformed"): // goes on with what came
		return metric.NotHTTP, "no answer: what came was not HTTP"
	case strings.HasPrefix(text, "no connection: "):
		return metric.Connect, text
	}
	told, _, _ = strings.Cut(text, `"`) // what is quoted is the peer's
	return metric.Other, "no answer: " + strings.TrimRight(told, " :;,=")
}

func inWords(err error) string {
	_, told := describe(err)
	return told
}

func aboutTLS(err error) bool {
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	return errors.As(err, &certificate) || errors.As(err, &alert) || errors.As(err, &record) ||
		strings.Contains(err.Error(), "tls: ") || strings.Contains(err.Error(), "TLS handshake") ||
		strings.Contains(err.Error(), "HTTP response to HTTPS client")
}
