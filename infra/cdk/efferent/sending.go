package efferent

import (
	"fmt"
	"strconv"
	"time"

	"github.com/efferent/efferent/internal/settings"
)

// SendingProps holds for webhooks and notifications alike.
type SendingProps struct {
	// RetryPolicies adds to the retry policies, or takes their place:
	// "seed=1s,2s,4s;slow=30s,60s". Default: the built-in ones.
	RetryPolicies string
	// SecretTTL is how long a secret is used before it is read again. Default:
	// 5 minutes.
	SecretTTL time.Duration
	// Proxy makes the connections to endpoints, to Slack and to Twilio:
	// "http://proxy.internal:3128". It may have a private address. Calls of AWS, and
	// SMTP, do without it. Default: none; HTTP_PROXY and the like are not heeded.
	Proxy string
	// AuditLanes is the number of message groups of the audit queue, 1 to
	// 1000; SQS takes 300 sends a second of each. Default: 4.
	AuditLanes int
	// Metrics is which metrics all functions write: settings.AllMetrics, or
	// AlarmMetrics for those that alarms are on. Default: all.
	Metrics string
}

// leastSending is the shortest timeout of a function that sends: what comes
// before an exchange has 3 s, and writes and calls around it have theirs. In a
// shorter one exchanges would be cut or, worse, made and not recorded.
const leastSending = 20 * time.Second

// aroundExchange is what of it the longest exchange leaves for all the rest.
const aroundExchange = 10 * time.Second

// checkSending holds a function's timeout against the longest exchange that
// there may be in it.
func checkSending(timeout, exchange time.Duration) error {
	if least := max(leastSending, exchange+aroundExchange); timeout < least {
		return fmt.Errorf("prop Timeout %s: must be at least %s, with exchanges of up to %s, or they would be cut, or made and not recorded",
			timeout, least, exchange)
	}
	return nil
}

// environment is the settings that were chosen; the functions know the
// defaults of the others.
func (p SendingProps) environment(q QueueProps) map[string]string {
	env := map[string]string{
		// They drain a message by the same count that SQS redrives it by.
		settings.MaxReceives: strconv.Itoa(q.MaxReceiveCount),
	}
	given(env, settings.RetryPolicies, p.RetryPolicies)
	given(env, settings.Proxy, p.Proxy)
	given(env, settings.Metrics, p.Metrics)
	if p.SecretTTL != 0 {
		env[settings.SecretTTL] = p.SecretTTL.String()
	}
	p.lanes(env)
	return env
}

func (p SendingProps) lanes(env map[string]string) {
	if p.AuditLanes != 0 {
		env[settings.AuditLanes] = strconv.Itoa(p.AuditLanes)
	}
}

// given sets a variable to what was chosen, if anything was.
func given(env map[string]string, name, value string) {
	if value != "" {
		env[name] = value
	}
}
