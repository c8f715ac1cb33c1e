package webhook

import (
	"fmt"
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
	"event_type": checkEventType,
	"tenant":     message.CheckTenant,
	"retry":      func(string) string { return "" },
}

// checkSecret wants a name or an ARN under SecretPrefix. It never quotes it:
// people put the secret itself here.
func checkSecret(s string) string {
	ref, key, hasKey := strings.Cut(s, "#")
	name := ref
	if strings.HasPrefix(ref, "arn:") {
		// AWS: arn:<partition>:secretsmanager:<region>:<account>:secret:<name>-<6 characters>
		part := strings.SplitN(ref, ":", 7)
		if len(part) != 7 || part[2] != "secretsmanager" || part[5] != "secret" {
			return "is not the ARN of a secret"
		}
		name = part[6]
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

// parseTimeout wants a duration such as 15s.
func parseTimeout(text string) (d time.Duration, problem string) {
	d, err := time.ParseDuration(text)
	if err != nil || d < MinTimeout || d > MaxTimeout {
		return 0, fmt.Sprintf("must be a duration from %v to %v, such as \"15s\"", MinTimeout, MaxTimeout)
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
