package report

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/efferent/efferent/internal/message"
)

// Key names an attempt.
type Key struct {
	WebhookID string `json:"webhook_id"`
	MessageID string `json:"message_id"`
	Attempt   int    `json:"attempt"`
}

const maxAttempt = 9999

func (k Key) valid() bool {
	return message.ValidID(k.WebhookID) && message.ValidID(k.MessageID) && k.Attempt >= 1 && k.Attempt <= maxAttempt
}

// String has no character that needs to be encoded in a URL: ids have no '.'.
func (k Key) String() string { return k.WebhookID + "." + k.MessageID + "." + strconv.Itoa(k.Attempt) }

// Token names an attempt to a provider, which gives it back. Who does not know secret
// can make none.
func (k Key) Token(secret string) string { return k.String() + "." + mac(secret, k.String()) }

// ReadToken reads a token; ok is false where it was not made with secret.
func ReadToken(token, secret string) (k Key, ok bool) {
	text, sum, _ := cutLast(token)
	if !hmac.Equal([]byte(sum), []byte(mac(secret, text))) {
		return k, false
	}
	text, number, _ := cutLast(text)
	k.WebhookID, k.MessageID, _ = strings.Cut(text, ".")
	k.Attempt, _ = strconv.Atoi(number)
	return k, k.valid()
}

func cutLast(s string) (before, after string, found bool) {
	n := strings.LastIndexByte(s, '.')
	if n < 0 {
		return "", s, false
	}
	return s[:n], s[n+1:], true
}

// mac has 128 bits, in base64url.
func mac(secret, text string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte("efferent report token\x00" + text))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16])
}

// The message tags by which SES gives an attempt back. Their values are 1 to 256 of
// A-Z, a-z, 0-9, _ and - ("MessageTag"), as ids are.
const (
	TagID      = "efferent-id"
	TagMessage = "efferent-message"
	TagAttempt = "efferent-attempt"
)

// Tags are the names and values of an attempt's tags.
func (k Key) Tags() [][2]string {
	return [][2]string{{TagID, k.WebhookID}, {TagMessage, k.MessageID}, {TagAttempt, strconv.Itoa(k.Attempt)}}
}
