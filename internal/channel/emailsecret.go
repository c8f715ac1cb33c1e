package channel

import (
	"cmp"
	"net/mail"
	"strings"

	"github.com/efferent/efferent/internal/loopback"
	"github.com/efferent/efferent/internal/message"
)

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

// ParseEmail reads the secret efferent/smtp and fills in its defaults. Its
// errors name the field, never a value.
func ParseEmail(secret string) (EmailConfig, error) {
	var c EmailConfig
	if err := parseSecret(EmailSecret, secret, &c); err != nil {
		return EmailConfig{}, err
	}
	c = c.withDefaults()
	if field, problem := c.check(); problem != "" {
		return EmailConfig{}, secretError(EmailSecret, field, problem)
	}
	return c, nil
}

func (c EmailConfig) withDefaults() EmailConfig {
	c.From = cmp.Or(c.From, DefaultFrom)
	if c.SES {
		return c
	}
	c.TLS = cmp.Or(c.TLS, TLSStart)
	if c.Port == 0 && c.TLS == TLSImplicit {
		c.Port = 465
	}
	c.Port = cmp.Or(c.Port, 587)
	return c
}

func (c EmailConfig) check() (field, problem string) {
	if _, err := mail.ParseAddress(c.From); err != nil || message.HasControl(c.From) {
		return "from", "is not an email address"
	}
	if c.SES {
		if c.Host != "" || c.Port != 0 || c.Username != "" || c.Password != "" || c.TLS != "" {
			return "ses", "can't be true beside an SMTP server's fields"
		}
		return "", ""
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
