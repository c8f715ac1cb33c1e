package channel

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/loopback"
	"github.com/efferent/efferent/internal/message"
)

// The secrets that hold the channels' configurations, in Secrets Manager.
const (
	EmailSecret = "efferent/smtp"
	SlackSecret = "efferent/slack"
	SMSSecret   = "efferent/twilio"
)

// SecretName is the name of the secret that configures a channel.
func SecretName(n Name) string {
	return map[Name]string{Email: EmailSecret, Slack: SlackSecret, SMS: SMSSecret}[n]
}

// CheckSecret says what is wrong with a text as the value of a secret; of
// secrets that configure no channel it says nothing.
func CheckSecret(name, text string) (err error) {
	switch name {
	case EmailSecret:
		_, err = ParseEmail(text)
	case SlackSecret:
		_, err = ParseSlack(text)
	case SMSSecret:
		_, err = ParseSMS(text)
	}
	return err
}

// ErrNotConfigured is returned where a channel has no secret. The channel's
// class is Configuration then.
var ErrNotConfigured = errors.New("not configured")

// parseSecret reads a secret's JSON strictly. What the JSON library says may
// quote the secret, so of its error only the place is told.
func parseSecret(name, secret string, into any) error {
	if secret == "" {
		return fmt.Errorf("secret %q: %w", name, ErrNotConfigured)
	}
	err := json.Unmarshal([]byte(secret), into, json.RejectUnknownMembers(true))
	var wrong *json.SemanticError
	if errors.As(err, &wrong) && wrong.JSONPointer != "" {
		field := message.Shorten(wrong.JSONPointer.LastToken(), 64)
		if errors.Is(err, json.ErrUnknownName) {
			return secretError(name, field, "unknown")
		}
		return secretError(name, field, "is of the wrong type")
	}
	if err != nil {
		return fmt.Errorf("secret %q: it is not a JSON object with each key once", name)
	}
	return refuseEmpty(name, secret)
}

// refuseEmpty: what was left empty by a template or a slip of the hand is not
// what a default is for.
func refuseEmpty(name, secret string) error {
	var members map[string]jsontext.Value
	if err := json.Unmarshal([]byte(secret), &members); err != nil || members == nil {
		return fmt.Errorf("secret %q: it is not a JSON object with each key once", name)
	}
	for _, field := range slices.Sorted(maps.Keys(members)) {
		switch strings.TrimSpace(string(members[field])) {
		case `""`, "null", "0":
			return secretError(name, field, "must not be empty: leave it out for its default")
		}
	}
	return nil
}

const controlUnwanted = "must have no line breaks or other control characters"

func secretError(secret, field, problem string) error {
	return fmt.Errorf("secret %q: field %s: %s", secret, strconv.Quote(field), problem)
}

const urlWanted = "must be an https URL, or http on a loopback address, without a user, a query or a fragment"

// baseURL is u, or its default, without a slash at its end.
func baseURL(u, fallback string) string { return strings.TrimRight(cmp.Or(u, fallback), "/") }

func goodURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Hostname() != "" && goodPort(u.Port()) && u.User == nil && u.RawQuery == "" && !strings.ContainsAny(s, "#?") &&
		(u.Scheme == "https" || u.Scheme == "http" && loopback.Is(u.Hostname()))
}

func goodPort(s string) bool {
	port, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil && port > 0
}
