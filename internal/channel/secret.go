package channel

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/loopback"
	"github.com/efferent/efferent/internal/message"
)

// DefaultSecrets is what the names of the channels' secrets begin with, unless it is
// said otherwise.
const DefaultSecrets = "efferent/"

// The secrets that hold the channels' configurations, in Secrets Manager, with the
// default's beginning.
const (
	EmailSecret = "efferent/smtp"
	SlackSecret = "efferent/slack"
	SMSSecret   = "efferent/twilio"

	TeamsSecret   = "efferent/teams"
	DiscordSecret = "efferent/discord"
	WebhookSecret = "efferent/webhook"
)

var secretOf = map[Name]string{
	Email: EmailSecret, Slack: SlackSecret, SMS: SMSSecret, Teams: TeamsSecret, Discord: DiscordSecret, Webhook: WebhookSecret,
}

// SecretName is the name of the secret that configures a channel.
func SecretName(n Name) string {
	return secretOf[n]
}

// SecretUnder is that name where such names begin with prefix.
func SecretUnder(prefix string, n Name) string {
	return prefix + strings.TrimPrefix(SecretName(n), DefaultSecrets)
}

// Configured is the channel that a secret configures by its name, whatever that begins
// with; "" for any other secret.
func Configured(name string) Name {
	found := secretNames.FindStringSubmatch(name)
	if found == nil || CheckSecrets(found[1]) != nil {
		return ""
	}
	for _, n := range Names {
		if SecretUnder(found[1], n) == name {
			return n
		}
	}
	return ""
}

var secretNames = regexp.MustCompile(`^(efferent/|efferent/.*[^A-Za-z0-9])[a-z]+$`)

// What Secrets Manager takes of a name ("CreateSecret"), under the beginning that all
// of Efferent's have.
var secretsPrefix = regexp.MustCompile(`^efferent/([A-Za-z0-9/_+=.@-]{0,200}[/_+=.@-])?$`)

// CheckSecrets says what is wrong with what the names of the channels' secrets shall
// begin with. A letter or digit at its end would run into the name; where keys lie that
// sign is no place for them.
func CheckSecrets(prefix string) error {
	switch {
	case !secretsPrefix.MatchString(prefix):
		return fmt.Errorf("%q must begin with efferent/ and end with a slash or a hyphen: efferent/prod/", prefix)
	case strings.HasPrefix(prefix, "efferent/webhooks/"), strings.HasPrefix(prefix, "efferent/ledger/"):
		return fmt.Errorf("%q is where the secrets of webhooks or of the ledger are", prefix)
	}
	return nil
}

// CheckSecret says what is wrong with a text as the value of a secret; of
// secrets that configure no channel it says nothing.
func CheckSecret(name, text string) (err error) {
	switch Configured(name) {
	case Email:
		_, err = ParseEmail(text)
	case Slack:
		_, err = ParseSlack(text)
	case SMS:
		_, err = ParseSMS(text)
	case Teams:
		_, err = ParseTeams(text)
	case Discord:
		_, err = ParseDiscord(text)
	case Webhook:
		_, err = ParseSigned(text)
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

const rateWanted = "must be a number from 0.001 to 10000"

// goodRate takes 0 for one that is not given.
func goodRate(n float64) bool { return n == 0 || n >= 0.001 && n <= 10_000 }

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
