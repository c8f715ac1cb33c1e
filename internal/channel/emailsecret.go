package channel

import (
	"cmp"
	"net/mail"
	"net/netip"
	"regexp"
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

const maxConnections = 1000

// EmailConfig is the secret efferent/smtp.
type EmailConfig struct {
	// SES: send by SES, with the function's own role. All but From is empty.
	SES  bool   `json:"ses"`
	From string `json:"from"` // an address, with or without a name
	// RatePerSecond is how many the server takes, or SES; 0 where no limit is known.
	RatePerSecond float64 `json:"rate_per_second"`
	// Senders are those of tenants that have their own.
	Senders map[string]string `json:"senders"`
	// ConfigurationSet is the one of SES's by which it reports what becomes of mails,
	// also of those that go to its SMTP interface; empty where it is not to.
	ConfigurationSet string `json:"configuration_set"`

	Host     string `json:"host"`
	Port     int    `json:"port"` // by default 587, or 465 with implicit TLS
	Username string `json:"username"`
	Password string `json:"password"`
	// TLS is one of the constants; "none" is an operator's choice. By default
	// it is implicit on port 465, and starttls elsewhere.
	TLS string `json:"tls"`
	// EHLO is how we introduce ourselves: a full name or an address literal. By
	// default it is this machine's full name, or else its address.
	EHLO string `json:"ehlo"`
	// Connections is how many a process has to the server at a time; 0 is without a
	// bound.
	Connections int `json:"connections"`
	// MessagesPerConnection is how many mails go by one connection, one after another;
	// 0 means 1.
	MessagesPerConnection int `json:"messages_per_connection"`
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

// Sender is who sends for a tenant.
func (c EmailConfig) Sender(tenant string) string { return cmp.Or(c.Senders[tenant], c.From) }

// submissions is the port of submission over implicit TLS (RFC 8314, section
// 7.3).
const submissions = 465

func (c EmailConfig) withDefaults() EmailConfig {
	c.From = cmp.Or(c.From, DefaultFrom)
	if c.SES {
		return c
	}
	if c.TLS == "" && c.Port == submissions {
		c.TLS = TLSImplicit
	}
	c.TLS = cmp.Or(c.TLS, TLSStart)
	if c.Port == 0 && c.TLS == TLSImplicit {
		c.Port = submissions
	}
	c.Port = cmp.Or(c.Port, 587)
	return c
}

func (c EmailConfig) check() (field, problem string) {
	if !isSender(c.From) {
		return "from", "is not an email address"
	}
	if !goodRate(c.RatePerSecond) {
		return "rate_per_second", rateWanted
	}
	if c.ConfigurationSet != "" && !configurationSet.MatchString(c.ConfigurationSet) {
		return "configuration_set", "must be the name of a configuration set of SES: 1 to 64 of A-Z, a-z, 0-9, _ and -"
	}
	for tenant, from := range c.Senders {
		if tenant == "" || message.CheckTenant(tenant) != "" || !isSender(from) {
			return "senders", "must map names of tenants to email addresses"
		}
	}
	if c.SES {
		return c.checkSES()
	}
	switch {
	case !isHost(c.Host):
		return "host", "must be the name or address of the SMTP server, without a port"
	case c.Port < 1 || c.Port > 65535:
		return "port", "must be between 1 and 65535"
	case c.Username == "" && c.Password != "":
		return "username", "missing beside a password"
	case c.Username != "" && c.Password == "":
		return "password", "missing beside a username"
	case c.Connections < 0 || c.Connections > maxConnections:
		return "connections", "must be from 1 to 1000"
	case c.MessagesPerConnection < 0 || c.MessagesPerConnection > maxConnections:
		return "messages_per_connection", "must be from 1 to 1000"
	case message.HasControl(c.Username):
		return "username", controlUnwanted
	case message.HasControl(c.Password):
		return "password", controlUnwanted
	case c.EHLO != "" && !IsFullName(c.EHLO) && !isLiteral(c.EHLO):
		return "ehlo", "must be a full domain name in ASCII, or an address literal such as [192.0.2.1] or [IPv6:2001:db8::1]"
	}
	return c.checkTLS()
}

// A configuration set's name ("CreateConfigurationSet").
var configurationSet = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func isSender(s string) bool {
	_, err := mail.ParseAddress(s)
	return err == nil && !message.HasControl(s)
}

// checkSES: everything but the sender is the role's.
func (c EmailConfig) checkSES() (field, problem string) {
	if c.Host != "" || c.Port != 0 || c.Username != "" || c.Password != "" || c.TLS != "" || c.EHLO != "" ||
		c.Connections != 0 || c.MessagesPerConnection != 0 {
		return "ses", "can't be true beside an SMTP server's fields"
	}
	if c.From == DefaultFrom {
		return "from", "missing beside ses: an address that SES has verified"
	}
	return "", ""
}

func (c EmailConfig) checkTLS() (field, problem string) {
	near := loopback.Is(c.Host)
	switch {
	case c.TLS != TLSStart && c.TLS != TLSImplicit && c.TLS != TLSNone && c.TLS != TLSOpportunistic:
		return "tls", "must be starttls, implicit, none or opportunistic"
	case c.TLS == TLSOpportunistic && !near:
		return "tls", "can't be opportunistic, except on a loopback address"
	case c.TLS != TLSImplicit && c.Port == submissions && !near:
		return "tls", "must be implicit on port 465"
	case c.Username != "" && c.TLS == TLSNone && !near:
		return "tls", "can't be none with a password, except on a loopback address"
	}
	return "", ""
}

// isHost takes a name, which may be in any script, or an IP address.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	return s != "" && !strings.ContainsAny(s, "/@:[]?#\\ ") && !message.HasControl(s)
}

// IsFullName reports whether s is a fully qualified domain name in ASCII, as
// EHLO takes it (RFC 5321, section 4.1.2).
func IsFullName(s string) bool { return len(s) <= 255 && fullName.MatchString(s) }

// The last label is no number, or an IPv4 address were a name.
var fullName = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// isLiteral takes RFC 5321's address literals, section 4.1.3.
func isLiteral(s string) bool {
	inside, ok := strings.CutPrefix(strings.TrimSuffix(s, "]"), "[")
	if !ok || !strings.HasSuffix(s, "]") {
		return false
	}
	v6, isV6 := strings.CutPrefix(inside, "IPv6:")
	a, err := netip.ParseAddr(v6)
	return err == nil && a.Zone() == "" && a.Is6() == isV6
}
