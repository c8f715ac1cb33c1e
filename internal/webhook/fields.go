package webhook

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/message"
)

// SecretPrefix is what the name of every usable signing secret begins with.
const SecretPrefix = "efferent/webhooks/"

const (
	maxEventType = 256
	maxSecret    = 2048 // the longest ARN that Secrets Manager takes
)

// checks say what is wrong with a field's text; "" when nothing is. The url and
// the timeout are parsed besides.
var checks = map[string]func(string) string{
	"id":         message.CheckID,
	"secret":     checkSecret,
	"endpoint":   message.CheckEndpoint,
	"event_type": checkEventType,
	"tenant":     message.CheckTenant,
	"retry":      func(string) string { return "" },
}

// ofSecret is what stands before the name in a secret's ARN. AWS:
// arn:<partition>:secretsmanager:<region>:<account>:secret:<name>-<6 characters>
var ofSecret = regexp.MustCompile(`^arn:[A-Za-z0-9-]+:secretsmanager:[A-Za-z0-9-]+:[0-9]{12}:secret:`)

// checkSecret wants a name or an ARN under SecretPrefix. It never quotes it:
// people put the secret itself here.
func checkSecret(s string) string {
	ref, key, hasKey := strings.Cut(s, "#")
	name := ref
	if strings.HasPrefix(ref, "arn:") {
		before := ofSecret.FindString(ref)
		if before == "" {
			return "is not the ARN of a secret"
		}
		name = ref[len(before):]
	}
	switch {
	case !strings.HasPrefix(name, SecretPrefix) || len(name) == len(SecretPrefix):
		return "must be the name or ARN of a secret under " + SecretPrefix
	case len(s) > maxSecret || !message.OnlyOf(name, "/_+=.@-"):
		return "is not a name that Secrets Manager takes"
	case hasKey && (key == "" || message.HasControl(key)):
		return "names no key after the #"
	}
	return ""
}

// duration is a number of seconds or milliseconds. Go reads more (1h2m, .5µs),
// which producers in other languages could neither write nor check.
var duration = regexp.MustCompile(`^(?:[1-9][0-9]?(?:\.[0-9]{1,9})?s|[1-9][0-9]{3,4}ms)$`)

// parseTimeout wants a duration such as 15s, 2.5s or 2500ms.
func parseTimeout(text string) (d time.Duration, problem string) {
	d, err := time.ParseDuration(text)
	if err != nil || d < MinTimeout || d > MaxTimeout || !duration.MatchString(text) {
		return 0, fmt.Sprintf("must be a duration from %v to %v, such as \"15s\" or \"2500ms\"", MinTimeout, MaxTimeout)
	}
	return d, ""
}

// checkEventType wants what can be the value of X-Webhook-Event unchanged.
func checkEventType(s string) string {
	if s == "" || len(s) > maxEventType || message.HasControl(s) || strings.TrimSpace(s) != s {
		return "must be 1 to 256 bytes, without control characters or spaces around it"
	}
	return ""
}
