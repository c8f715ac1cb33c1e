package metric

import "slices"

// Why an attempt failed.
const (
	DNS       = "dns"       // the host's name was not found
	Connect   = "connect"   // no TCP connection
	TLS       = "tls"       // no TLS
	Timeout   = "timeout"   // no answer in time
	Closed    = "closed"    // the connection ended before an answer
	NotHTTP   = "not_http"  // what came was no HTTP
	Redirect  = "3xx"       // not followed
	Client    = "4xx"       // but for the two that follow
	Throttled = "throttled" // 429, or the provider's limit
	Gone      = "gone"      // 410, or webhook-delivery: disable or abort-message
	Server    = "5xx"
	Blocked   = "blocked"   // an address or a scheme that may not be sent to
	Malformed = "malformed" // the message
	Secret    = "secret"    // there is none, or it is no key
	Endpoint  = "endpoint"  // there is none of its id: it was deleted, say
	Overdue   = "overdue"   // it was held for as long as may be, or is too old
	Other     = "other"

	// Of notifications, beside some of these, the class of the failure.
	Permanent     = "permanent"
	Transient     = "transient"
	Configuration = "configuration"
	Unknown       = "unknown"
	OptedOut      = "opted_out"
)

// Why a message is held: its attempt is not made now.
const (
	Trouble    = "trouble"     // our own: a store, a secret, a descriptor, the invocation's end
	OpenByFail = "circuit"     // its endpoint's circuit is open
	Paused     = "pause"       // an operator, or 410, keeps the circuit open, or its endpoint is paused or disabled
	RetryAfter = "retry-after" // its endpoint asked for time
	Limit      = "limit"       // the provider takes no more just now
	Turn       = "turn"        // too many requests to its endpoint are unanswered
)

// What came of a notification on a channel.
const (
	Sent    = "sent"   // the provider took it
	Left    = "left"   // given up for another channel
	NotSent = "failed" // and no other was left: a dead letter
)

// channels are those of notifications.
var channels = []string{"email", "slack", "sms", "teams", "discord", "webhook"}

// values are those that each dimension of each metric may have.
var values = map[string]map[string][]string{
	Attempts: {Verdict: {"delivered", "retryable", "permanent", "exhausted"}, Channel: channels},
	Failures: {Reason: {DNS, Connect, TLS, Timeout, Closed, NotHTTP, Redirect, Client, Throttled, Gone, Server, Blocked, Malformed, Secret,
		Endpoint, Overdue, Permanent, Transient, Limit, Configuration, Unknown, OptedOut, Other}},
	Held:             {Reason: {Trouble, OpenByFail, Paused, RetryAfter, Limit, Turn, Other}},
	ExchangeLatency:  {Channel: channels},
	Misconfigured:    {Channel: channels},
	Notifications:    {Channel: channels, Outcome: {Sent, Left, NotSent}},
	EndpointsFailing: {Action: {"endpoint.disabled", "endpoint.failing"}},
	CircuitChanges:   {Phase: {"open", "closed"}},
	OutcomesMissing:  {Action: {"webhook.delivered", "webhook.failed", "notification.sent", "notification.failed"}},
	OutcomesUntold: {Action: {"delivery.delivered", "delivery.failed", "endpoint.failing", "endpoint.recovered", "endpoint.disabled",
		"endpoint.verified", "endpoint.updated"}},
}

// Values are those that a dimension of a metric may have.
func Values(name, dimension string) []string { return slices.Clone(values[name][dimension]) }
