package channel

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/loopback"
)

// DevSecret returns the text of the secret that configures a channel, made of
// environment variables, for running without Secrets Manager:
// SMTP_HOST, SMTP_PORT, SMTP_USER, SMTP_PASS, SMTP_FROM, SMTP_CONFIGURATION_SET; SLACK_WEBHOOK_URL, or
// SLACK_BOT_TOKEN and SLACK_BASE_URL; TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN,
// TWILIO_FROM_NUMBER, TWILIO_BASE_URL, TWILIO_CALLBACK_URL; TEAMS_WEBHOOK_URL; DISCORD_WEBHOOK_URL;
// NOTIFY_WEBHOOK_URL, NOTIFY_WEBHOOK_SECRET.
// Where none is set, the error is ErrNotConfigured. Errors name variables,
// never their values.
func DevSecret(on Name, getenv func(string) string) (string, error) {
	switch on {
	case Email:
		return devEmail(getenv)
	case Slack:
		return devText(on, getenv("SLACK_WEBHOOK_URL")+getenv("SLACK_BOT_TOKEN"), map[string]any{
			"webhook_url": getenv("SLACK_WEBHOOK_URL"), "bot_token": getenv("SLACK_BOT_TOKEN"), "base_url": getenv("SLACK_BASE_URL"),
		})
	case SMS:
		return devText(on, getenv("TWILIO_ACCOUNT_SID")+getenv("TWILIO_AUTH_TOKEN")+getenv("TWILIO_FROM_NUMBER"), map[string]any{
			"account_sid": getenv("TWILIO_ACCOUNT_SID"), "auth_token": getenv("TWILIO_AUTH_TOKEN"),
			"from_number": getenv("TWILIO_FROM_NUMBER"), "base_url": getenv("TWILIO_BASE_URL"),
			"callback_url": getenv("TWILIO_CALLBACK_URL"),
		})
	case Teams:
		return devText(on, getenv("TEAMS_WEBHOOK_URL"), map[string]any{"webhook_url": getenv("TEAMS_WEBHOOK_URL")})
	case Discord:
		return devText(on, getenv("DISCORD_WEBHOOK_URL"), map[string]any{"webhook_url": getenv("DISCORD_WEBHOOK_URL")})
	case Webhook:
		return devText(on, getenv("NOTIFY_WEBHOOK_URL")+getenv("NOTIFY_WEBHOOK_SECRET"), map[string]any{
			"url": getenv("NOTIFY_WEBHOOK_URL"), "secret": getenv("NOTIFY_WEBHOOK_SECRET"),
		})
	}
	return "", fmt.Errorf("channel %q: %w", on, ErrNotConfigured)
}

// devEmail encrypts unless the server is on this machine, where it may be a mail
// catcher that can't. Port 465 is implicit TLS.
func devEmail(getenv func(string) string) (string, error) {
	host, user := getenv("SMTP_HOST"), getenv("SMTP_USER")
	c := map[string]any{"host": host, "username": user, "password": getenv("SMTP_PASS"), "from": getenv("SMTP_FROM"),
		"configuration_set": getenv("SMTP_CONFIGURATION_SET")}
	if text := getenv("SMTP_PORT"); text != "" {
		port, err := strconv.Atoi(text)
		if err != nil {
			return "", fmt.Errorf("SMTP_PORT: must be a number")
		}
		c["port"] = port
	}
	switch {
	case c["port"] == 465:
		c["tls"] = TLSImplicit
	case loopback.Is(host):
		c["tls"] = TLSOpportunistic
	}
	return devText(Email, host, c)
}

func devText(on Name, set string, c map[string]any) (string, error) {
	if set == "" {
		return "", fmt.Errorf("secret %q: %w", SecretName(on), ErrNotConfigured)
	}
	for key, value := range c {
		if value == "" {
			delete(c, key)
		}
	}
	text, err := json.Marshal(c, json.Deterministic(true))
	if err != nil {
		return "", fmt.Errorf("secret %q: an environment variable is not valid UTF-8", SecretName(on))
	}
	return string(text), nil
}
