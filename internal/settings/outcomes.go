package settings

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/outcome"
)

// ReadOutcomes reads where outcomes go, and which. Its error names every variable that
// is wrong, and what would be right.
func ReadOutcomes(getenv func(string) string) (outcome.Place, error) {
	r := reader{getenv: getenv}
	p := parsed(&r, Outcomes, parseOutcomes)
	p.Kinds = parsed(&r, OutcomeKinds, outcome.ParseKinds)
	p.Tenant = parsed(&r, OutcomesTenant, parseOutcomesTenant)
	if p.Tenant != "" && p.Bus != "" {
		r.fail(OutcomesTenant, fmt.Errorf("is for the endpoints of a tenant: %s must be the queue of events", Outcomes))
	}
	return p, errors.Join(r.errs...)
}

// parseOutcomes reads the URL of a queue or the ARN of a bus.
func parseOutcomes(text string) (p outcome.Place, err error) {
	u, err := url.Parse(text)
	switch {
	case text == "" || text == None:
		return p, nil
	case strings.HasPrefix(text, "arn:") && strings.Contains(text, ":events:") && strings.Contains(text, ":event-bus/"):
		p.Bus = text
		return p, nil
	case err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(u.Path) > 1:
		p.QueueURL = text
		return p, nil
	}
	return p, fmt.Errorf("%.200q is neither the URL of an SQS queue nor the ARN of an EventBridge bus", text)
}

// parseOutcomesTenant takes one who can have endpoints, or nobody.
func parseOutcomesTenant(text string) (string, error) {
	if text != "" && message.CheckOwner(text) != "" {
		return "", fmt.Errorf("%.120q is no tenant who can have endpoints", text)
	}
	return text, nil
}
