package channel

import (
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"

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

// DefaultFrom is the sender of emails unless the secret says otherwise.
const DefaultFrom = "noreply@example.com"

// The ways to encrypt the connection to an SMTP server.
const (
	TLSStart    = "starttls" // STARTTLS, and nothing without it; the default
	TLSImplicit = "implicit" // TLS from the first byte, usually on port 465
	TLSNone     = "none"
	// TLSOpportunistic: STARTTLS where the server offers it, without a look at
	// its certificate (RFC 7435). Loopback only.
	TLSOpportunistic = "opportunistic"
)

// EmailConfig is the secret efferent/smtp.
type EmailConfig struct {
	// SES: send by SES, with the function's own role. All but From is empty.
	SES  bool   `json:"ses"`
	From string `json:"from"` // an address, with or without a name

	Host     string `json:"host"`
	Port     int    `json:"port"` // by default 587, or 465 with implicit TLS
	Username string `json:"username"`
	Password string `json:"password"`
	TLS      string `json:"tls"` // one of the constants; "none" is an operator's choice
}

// SlackConfig is the secret efferent/slack: one of the first two.
type SlackConfig struct {
	WebhookURL string `json:"webhook_url"`
	BotToken   string `json:"bot_token"`
	BaseURL    string `json:"base_url"` // of the Web API, without a slash at its end
}

// SMSConfig is the secret efferent/twilio, of Twilio or of AWS.
type SMSConfig struct {
	// EndUserMessaging: send by AWS End User Messaging, with the function's own
	// role, from OriginationIdentity. Twilio's fields are empty then.
	EndUserMessaging    bool   `json:"end_user_messaging"`
	OriginationIdentity string `json:"origination_identity"`

	AccountSID          string `json:"account_sid"`
	AuthToken           string `json:"auth_token"`
	FromNumber          string `json:"from_number"`           // or …
	MessagingServiceSID string `json:"messaging_service_sid"` // MG…
	BaseURL             string `json:"base_url"`

	// MaxSegments is the most SMS of one notification (DefaultSegments).
	MaxSegments int `json:"max_segments"`
}

// ParseEmail reads the secret efferent/smtp. Its errors name the field, never
// a value.
func ParseEmail(secret string) (EmailConfig, error) {
	var c EmailConfig
	if err := parseSecret(EmailSecret, secret, &c); err != nil {
		return EmailConfig{}, err
	}
	if c.From == "" {
		c.From = DefaultFrom
	}
	field, problem := c.check()
	if problem != "" {
		return EmailConfig{}, secretError(EmailSecret, field, problem)
	}
	return c, nil
}

func (c *EmailConfig) check() (field, problem string) {
	if _, err := mail.ParseAddress(c.From); err != nil || message.HasControl(c.From) {
		return "from", "is not an email address"
	}
	if c.SES {
		if c.Host != "" || c.Port != 0 || c.Username != "" || c.Password != "" || c.TLS != "" {
			return "ses", "can't be true beside an SMTP server's fields"
		}
		return "", ""
	}
	if c.TLS == "" {
		c.TLS = TLSStart
	}
	if c.Port == 0 {
		c.Port = map[string]int{TLSImplicit: 465}[c.TLS]
	}
	if c.Port == 0 {
		c.Port = 587
	}
	switch {
	case c.Host == "" || strings.ContainsAny(c.Host, "/@ \t\r\n") || message.HasControl(c.Host):
		return "host", "must be the name or address of the SMTP server"
	case c.Port < 1 || c.Port > 65535:
		return "port", "must be between 1 and 65535"
	case c.TLS == TLSOpportunistic && !loopback.Is(c.Host):
		return "tls", "can't be opportunistic, except on a loopback address"
	case c.TLS != TLSStart && c.TLS != TLSImplicit && c.TLS != TLSNone && c.TLS != TLSOpportunistic:
		return "tls", "must be starttls, implicit, none or opportunistic"
	case c.Username == "" && c.Password != "":
		return "username", "missing beside a password"
	case c.Username != "" && c.Password == "":
		return "password", "missing beside a username"
	case c.Username != "" && c.TLS == TLSNone && !loopback.Is(c.Host):
		return "tls", "can't be none with a password, except on a loopback address"
	}
	return "", ""
}

// ParseSlack reads the secret efferent/slack.
func ParseSlack(secret string) (SlackConfig, error) {
	c := SlackConfig{}
	if err := parseSecret(SlackSecret, secret, &c); err != nil {
		return SlackConfig{}, err
	}
	field, problem := c.check()
	if problem != "" {
		return SlackConfig{}, secretError(SlackSecret, field, problem)
	}
	return c, nil
}

func (c *SlackConfig) check() (field, problem string) {
	switch {
	case (c.WebhookURL == "") == (c.BotToken == ""):
		return "webhook_url", "give this or bot_token, one of the two"
	case c.WebhookURL != "" && !goodURL(c.WebhookURL):
		return "webhook_url", urlWanted
	case c.WebhookURL != "" && c.BaseURL != "":
		return "base_url", "is for bot_token only"
	case strings.ContainsFunc(c.BotToken, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "bot_token", "is not a Slack token"
	}
	if c.BotToken != "" {
		return baseURL(&c.BaseURL, "https://slack.com")
	}
	return "", ""
}

var (
	twilioAccount = regexp.MustCompile(`^[A-Za-z0-9_-]{2,64}$`)
	twilioService = regexp.MustCompile(`^MG[A-Za-z0-9_-]{1,64}$`)
	// A number, a short code, or a name ("Alphanumeric Sender ID").
	twilioFrom = regexp.MustCompile(`^(\+?[0-9]{3,15}|[A-Za-z0-9 +_&-]{1,11})$`)
)

// ParseSMS reads the secret efferent/twilio.
func ParseSMS(secret string) (SMSConfig, error) {
	var c SMSConfig
	if err := parseSecret(SMSSecret, secret, &c); err != nil {
		return SMSConfig{}, err
	}
	if c.MaxSegments == 0 {
		c.MaxSegments = DefaultSegments
	}
	field, problem := c.check()
	if problem != "" {
		return SMSConfig{}, secretError(SMSSecret, field, problem)
	}
	return c, nil
}

func (c *SMSConfig) check() (field, problem string) {
	if c.MaxSegments < 1 {
		return "max_segments", "must be 1 or more"
	}
	if c.EndUserMessaging {
		switch {
		case c.OriginationIdentity == "" || message.HasControl(c.OriginationIdentity):
			return "origination_identity", "must be a phone number, sender id or pool, by its id or ARN"
		case c.AccountSID != "" || c.AuthToken != "" || c.FromNumber != "" || c.MessagingServiceSID != "" || c.BaseURL != "":
			return "end_user_messaging", "can't be true beside Twilio's fields"
		}
		return "", ""
	}
	switch {
	case c.OriginationIdentity != "":
		return "origination_identity", "is for end_user_messaging only"
	case !twilioAccount.MatchString(c.AccountSID):
		return "account_sid", "must be the account's SID (AC…)"
	case c.AuthToken == "" || message.HasControl(c.AuthToken):
		return "auth_token", "must be the account's auth token"
	case (c.FromNumber == "") == (c.MessagingServiceSID == ""):
		return "from_number", "give this or messaging_service_sid, one of the two"
	case c.FromNumber != "" && !twilioFrom.MatchString(c.FromNumber):
		return "from_number", "must be a phone number as in E.164, a short code or a sender id"
	case c.MessagingServiceSID != "" && !twilioService.MatchString(c.MessagingServiceSID):
		return "messaging_service_sid", "must be a messaging service's SID (MG…)"
	}
	return baseURL(&c.BaseURL, "https://api.twilio.com")
}

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
	return nil
}

func secretError(secret, field, problem string) error {
	return fmt.Errorf("secret %q: field %s: %s", secret, strconv.Quote(field), problem)
}

const urlWanted = "must be an https URL, or http on a loopback address, without a user, a query or a fragment"

// baseURL sets a default and takes a slash off the end.
func baseURL(u *string, fallback string) (field, problem string) {
	if *u == "" {
		*u = fallback
	}
	if !goodURL(*u) {
		return "base_url", urlWanted
	}
	*u = strings.TrimRight(*u, "/")
	return "", ""
}

func goodURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Hostname() != "" && u.User == nil && u.RawQuery == "" && !strings.ContainsAny(s, "#?") &&
		(u.Scheme == "https" || u.Scheme == "http" && loopback.Is(u.Hostname()))
}
