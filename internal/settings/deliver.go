package settings

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/webhook"
)

// DefaultMaxReceives is the maxReceiveCount that the queues of webhooks and of
// notifications are made with. What is to die is received until SQS moves it,
// and each receive is paid for; AWS advises 5 at least ("Understanding SQS
// retries"), and with 6 a message that can't wait in the waiting room waits for
// over a day, from any of its first four receives.
const DefaultMaxReceives = 6

// LeastReceives leaves one to try with, and one for a crash; SQS takes MostReceives
// at most ("SetQueueAttributes" in the API reference).
const (
	LeastReceives = 2
	MostReceives  = 1000
)

// AuditMaxReceives is the maxReceiveCount of the audit queue: an hour of trouble
// with the ledger's stores, at a visibility timeout of 3 minutes. Nothing that
// is there is drained.
const AuditMaxReceives = 20

// Webhooks is how webhooks are delivered, wherever the handler runs.
type Webhooks struct {
	Sending
	AllowHTTP  webhook.AllowHTTP
	AllowCIDRs []netip.Prefix
	// AllowPorts are those that may be connected to; nil is all.
	AllowPorts []webhook.PortRange
	// ProxyResolves: the proxy is given names, and guards them.
	ProxyResolves bool
	// Timeout is that of one exchange.
	Timeout time.Duration
	// ResponseLimit is how much of a failure's answer is kept, in bytes.
	ResponseLimit int
	// CABundle is where the certificates of private authorities are; empty where
	// there are none.
	CABundle string
	// MaxHeld is how long a message waits for open circuits in all.
	MaxHeld time.Duration
	// Circuits are when these open.
	Circuits circuit.Limits
	// SecretGrace is how long after a rotation the key before signs too.
	SecretGrace time.Duration
}

// Client is how a webhook.Client sends by these settings.
func (w Webhooks) Client() webhook.Options {
	return webhook.Options{
		AllowHTTP: w.AllowHTTP, AllowPrefixes: w.AllowCIDRs, Timeout: w.Timeout, Response: cmp.Or(w.ResponseLimit, -1),
		AllowPorts: w.AllowPorts, Proxy: w.Proxy, ProxyResolves: w.ProxyResolves,
	}
}

// ReadWebhooks reads the settings of deliveries. Its error names every
// variable that is wrong, and what would be right.
func ReadWebhooks(getenv func(string) string) (Webhooks, error) {
	r := reader{getenv: getenv}
	d := Webhooks{
		Sending:       r.sending(),
		AllowHTTP:     parsed(&r, AllowHTTP, webhook.ParseAllowHTTP),
		AllowCIDRs:    parsed(&r, AllowCIDRs, parsePrefixes),
		AllowPorts:    parsed(&r, AllowPorts, webhook.ParsePorts),
		ProxyResolves: parsed(&r, ProxyResolves, parseBool),
		Timeout:       parsed(&r, Timeout, parseTimeout),
		ResponseLimit: r.number(ResponseLimit, attempt.ResponseLimit, 0, attempt.MaxResponse),
		CABundle:      getenv(CABundle),
		MaxHeld:       parsed(&r, MaxHeld, parseMaxHeld),
		Circuits:      parsed(&r, CircuitLimits, parseCircuits),
		SecretGrace:   parsed(&r, SecretGrace, parseGrace),
	}
	if d.ProxyResolves && d.Proxy == nil {
		r.fail(ProxyResolves, fmt.Errorf("there is no proxy: %s is not set", Proxy))
	}
	return d, errors.Join(r.errs...)
}

// DeliverPlaces is where the deliver Lambda finds its queues and its tables.
type DeliverPlaces struct {
	WebhooksQueueURL, AuditQueueURL, AttemptsTable, WaitingTable, CircuitsTable, PaceTable, EndpointsTable string
}

// ReadDeliverPlaces reads the places; each of them is needed.
func ReadDeliverPlaces(getenv func(string) string) (DeliverPlaces, error) {
	r := reader{getenv: getenv}
	d := DeliverPlaces{
		WebhooksQueueURL: r.needed(WebhooksQueueURL),
		AuditQueueURL:    r.needed(AuditQueueURL),
		AttemptsTable:    r.needed(AttemptsTable),
		WaitingTable:     r.needed(WaitingTable),
		CircuitsTable:    r.needed(CircuitsTable),
		PaceTable:        r.needed(PaceTable),
		EndpointsTable:   r.needed(EndpointsTable),
	}
	return d, errors.Join(r.errs...)
}

// reader collects what is wrong, so that all of it is told at once.
type reader struct {
	getenv func(string) string
	errs   []error
}

func (r *reader) fail(name string, err error) {
	r.errs = append(r.errs, fmt.Errorf("environment variable %s: %w", name, err))
}

func (r *reader) needed(name string) string {
	v := r.getenv(name)
	if v == "" {
		r.fail(name, errors.New("is not set"))
	}
	return v
}

// neededOrNone is "" where None was given: what is left out is so on purpose.
func (r *reader) neededOrNone(name string) string {
	if v := r.needed(name); v != None {
		return v
	}
	return ""
}

func (r *reader) number(name string, otherwise, least, most int) int {
	text := r.getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < least || n > most {
		r.fail(name, fmt.Errorf("%q is not a number from %d to %d", text, least, most))
	}
	return n
}

func parsed[T any](r *reader, name string, parse func(string) (T, error)) T {
	v, err := parse(r.getenv(name))
	if err != nil {
		r.fail(name, err)
	}
	return v
}

func parsePrefixes(text string) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		p, err := netip.ParsePrefix(part)
		if err != nil {
			return nil, fmt.Errorf("%q is not a network such as 10.1.0.0/16", part)
		}
		prefixes = append(prefixes, p.Masked())
	}
	return prefixes, nil
}

// A message may wait for a circuit so long. Its records stay for longer than the
// most.
const (
	DefaultMaxHeld = 6 * time.Hour
	leastMaxHeld   = time.Minute
	mostMaxHeld    = 14 * 24 * time.Hour
)

func parseMaxHeld(text string) (time.Duration, error) {
	if text == "" {
		return DefaultMaxHeld, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < leastMaxHeld || d > mostMaxHeld {
		return 0, fmt.Errorf("%q is not a duration from %s to %s", text, leastMaxHeld, mostMaxHeld)
	}
	return d, nil
}

func parseTimeout(text string) (time.Duration, error) {
	if text == "" {
		return webhook.DefaultTimeout, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < webhook.MinTimeout || d > webhook.MaxTimeout {
		return 0, fmt.Errorf("%q is not a duration from %s to %s", text, webhook.MinTimeout, webhook.MaxTimeout)
	}
	return d, nil
}

func parseGrace(text string) (time.Duration, error) {
	if text == "" {
		return signingkey.DefaultGrace, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || signingkey.CheckGrace(d) != nil {
		return 0, fmt.Errorf("%q is not a duration from 0 to %s", text, signingkey.MaxGrace)
	}
	return d, nil
}

func parseTTL(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%q is not a duration such as 5m", text)
	}
	return d, nil
}
