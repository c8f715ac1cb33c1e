package webhook

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"strings"
)

// newKeyBytes is the length of a new shared key; Standard Webhooks asks for 24 to
// 64 bytes ("Signature scheme").
const newKeyBytes = 32

// NewSecret makes a secret that signs as another one does: a whsk_ one after a
// whsk_ one, a text without a prefix, of 52 letters and digits, after such a text,
// and a whsec_ one of 32 random bytes else, and after "".
func NewSecret(like string) string {
	switch {
	case strings.HasPrefix(like, privatePrefix):
		_, private, _ := ed25519.GenerateKey(nil) // it can't fail: it is of crypto/rand
		return privatePrefix + base64.StdEncoding.EncodeToString(private)
	case like == "" || strings.HasPrefix(like, sharedPrefix):
		b := make([]byte, newKeyBytes)
		rand.Read(b)
		return sharedPrefix + base64.StdEncoding.EncodeToString(b)
	}
	return rand.Text() + rand.Text()
}

// Prefixed reports whether a text says of itself that it is a key that signs.
func Prefixed(text string) bool {
	return strings.HasPrefix(text, sharedPrefix) || strings.HasPrefix(text, privatePrefix)
}
