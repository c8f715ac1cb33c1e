package secret

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/channel"
	messages "github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/webhook"
)

// The least and the most bytes of a shared key (Standard Webhooks, "Signature
// scheme").
const (
	minKeyBytes = 24
	maxKeyBytes = 64
)

// secretRef says what is to be kept: a secret, or one key of a JSON secret.
type secretRef struct {
	id    string // a name or an ARN, for Secrets Manager
	name  string
	key   string
	keyed bool
}

func (r secretRef) signs() bool { return strings.HasPrefix(r.name, webhook.SecretPrefix) }

// arnOfSecret is AWS's: the name, a hyphen and six random characters, which may
// be left out.
var arnOfSecret = regexp.MustCompile(`^arn:[^:]+:secretsmanager:[^:]+:[^:]+:secret:(.+?)(-[A-Za-z0-9]{6})?$`)

// readSecretRef refuses a name that nothing would ever look up.
func readSecretRef(text string) (secretRef, error) {
	id, key, keyed := strings.Cut(text, "#")
	r := secretRef{id, id, key, keyed}
	if found := arnOfSecret.FindStringSubmatch(id); found != nil {
		r.name = found[1]
	}
	var channels []string
	for _, on := range channel.Names {
		channels = append(channels, channel.SecretName(on))
	}
	switch {
	case channel.Configured(r.name) != "" && (!keyed || key != ""):
		return r, nil
	case r.signs() || strings.HasPrefix(id, "arn:"):
		if wrong := webhook.CheckReference(text); wrong != "" {
			return r, console.Misusedf("%q %s", text, wrong)
		}
		return r, nil
	}
	return r, console.Misusedf("no secret of the name %q is ever used: those that sign webhooks begin with %s, and %s configure channels%s",
		text, webhook.SecretPrefix, strings.Join(channels, ", "), meant(text, channels))
}

// meant is a guess at a name with a slip of the hand.
func meant(text string, channels []string) string {
	if parts := strings.SplitN(strings.Trim(text, "/ "), "/", 3); len(parts) == 3 && parts[2] != "" &&
		messages.Suggestion(parts[0]+"/"+parts[1]+"/", []string{webhook.SecretPrefix}) != "" {
		return fmt.Sprintf("; did you mean %q?", webhook.SecretPrefix+parts[2])
	}
	return messages.Suggestion(text, channels)
}

// check refuses here what delivery would refuse, or what nobody could verify.
// It never quotes the value.
func (r secretRef) check(value string) (warnings []string, err error) {
	switch text := strings.TrimSpace(value); {
	case text == "":
		return nil, errors.New("the secret is empty")
	case len(value) > rotation.MaxText:
		return nil, fmt.Errorf("a secret has %d bytes at most", rotation.MaxText)
	case !utf8.ValidString(value):
		return nil, errors.New("it is not text in UTF-8")
	case r.keyed && !r.signs():
		return nil, nil // as a whole, once it is set
	case !r.signs():
		return nil, channel.CheckSecret(r.name, value)
	case !r.keyed && text[0] == '{' && text[len(text)-1] == '}':
		return checkSigningKeys(value)
	}
	warning, err := checkSigning(value)
	if warning != "" {
		warnings = []string{warning}
	}
	return warnings, err
}

func checkSigning(value string) (warning string, err error) {
	secret, err := webhook.ParseSecret(value)
	if err != nil {
		return "", err
	}
	if n := secret.KeyBytes(); n != 0 && (n < minKeyBytes || n > maxKeyBytes) {
		warning = fmt.Sprintf("the key has %d bytes, and Standard Webhooks asks for %d to %d: is it whole?", n, minKeyBytes, maxKeyBytes)
	}
	return warning, nil
}

// nearlyKey finds what was meant as a key, whatever else a JSON secret holds.
var nearlyKey = regexp.MustCompile(`(?i)wh(sec|sk|pk)|v1a?,|sha256=|bearer `)

// checkSigningKeys looks at each key's value, and at the one before it where it
// has a history. Some may be notes: what can't be meant as a secret is only told.
func checkSigningKeys(value string) (warnings []string, err error) {
	all, err := signingkey.Parse(value)
	if err != nil {
		return nil, errors.New("it begins as JSON, but is not a JSON object with each key once")
	}
	usable := 0
	for _, name := range all.Names() {
		key, err := all.Key(name)
		if err != nil && !errors.Is(err, signingkey.ErrNoKey) {
			return nil, err
		}
		warning, err := checkSigning(key.Current)
		switch {
		case err != nil && (key.Historic || nearlyKey.MatchString(key.Current)):
			return nil, fmt.Errorf("key %q: %w", name, err)
		case err != nil:
			warnings = append(warnings, fmt.Sprintf("key %q: %v", name, err))
			continue
		case warning != "":
			warnings = append(warnings, fmt.Sprintf("key %q: %s", name, warning))
		}
		if _, err := checkSigning(key.Previous); key.Previous != "" && err != nil {
			return nil, fmt.Errorf("key %q, the previous one: %w", name, err)
		}
		usable++
	}
	if usable == 0 {
		return nil, errors.New("none of its keys holds a text that can sign")
	}
	return warnings, nil
}
