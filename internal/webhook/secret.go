package webhook

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// ErrSecretUnusable says that a secret exists but can't sign (or verify). The
// errors that wrap it say why, and never hold the secret.
var ErrSecretUnusable = errors.New("unusable signing secret")

// The prefixes of Standard Webhooks secrets ("Signature scheme"): a shared
// secret, a private key, a public key.
const (
	sharedPrefix  = "whsec_"
	privatePrefix = "whsk_"
	publicPrefix  = "whpk_"
)

// CheckReference says what is wrong with a reference to a signing secret, as a
// message has it (`name`, an ARN, either with #key); "" where nothing is.
func CheckReference(ref string) string { return checkSecret(ref) }

// Secret is a parsed signing secret. It shows itself as redacted wherever it
// is printed. It is small, may be copied, and is safe for concurrent use; it
// is worth keeping, since it keeps prepared keys.
type Secret struct{ key *key }

// key is either a shared secret (whole and v1) or a private key.
type key struct {
	whole   []byte // the secret string's own bytes, prefix included
	v1      []byte
	private ed25519.PrivateKey
	macs    sync.Pool // of *macs
}

// ParseSecret reads a secret as it stands in Secrets Manager.
//
//   - whsec_<base64> signs v1 with the decoded bytes;
//   - whsk_<base64> signs v1a with an ed25519 private key (64 bytes, or its
//     32-byte seed), and nothing else;
//   - any other text signs v1 with its own bytes, unless it can't be meant as a
//     key: see misplaced.
//
// The first and the last also sign X-Webhook-Signature, with the whole text
// as it is. Errors wrap ErrSecretUnusable, and say what to put instead.
func ParseSecret(s string) (Secret, error) {
	if why := misplaced(s); why != "" {
		return Secret{}, unusable(why)
	}
	k := &key{whole: []byte(s), v1: []byte(s)}
	var err error
	switch {
	case strings.HasPrefix(s, sharedPrefix):
		k.v1, err = decodeKey(s, sharedPrefix)
	case strings.HasPrefix(s, privatePrefix):
		k.private, err = parsePrivate(s)
	case strings.HasPrefix(s, publicPrefix):
		err = unusable("a " + publicPrefix + " key is public; signing takes the " + privatePrefix + " key")
	}
	if err != nil {
		return Secret{}, err
	}
	k.macs.New = func() any { return newMACs(k) }
	return Secret{key: k}, nil
}

// Equal reports whether two secrets are the same text.
func (s Secret) Equal(other Secret) bool {
	return s.key == other.key || s.key != nil && other.key != nil && bytes.Equal(s.key.whole, other.key.whole)
}

// KeyBytes is the length of a shared secret's key; 0 for a private key, whose
// length is given. Standard Webhooks asks for 24 to 64 bytes ("Signature
// scheme"). Its libraries, and ParseSecret, take any.
func (s Secret) KeyBytes() int {
	if s.key == nil || s.key.private != nil {
		return 0
	}
	return len(s.key.v1)
}

// PublicKey is the whpk_ text of a private key, for those who verify; "" for a
// shared secret, which they need itself.
func (s Secret) PublicKey() string {
	if s.key == nil || s.key.private == nil {
		return ""
	}
	return publicPrefix + base64.StdEncoding.EncodeToString(s.key.private.Public().(ed25519.PublicKey))
}

func parsePrivate(s string) (ed25519.PrivateKey, error) {
	b, err := decodeKey(s, privatePrefix)
	if err != nil {
		return nil, err
	}
	if len(b) != ed25519.SeedSize && len(b) != ed25519.PrivateKeySize {
		return nil, unusable(fmt.Sprintf("a %s key has %d bytes (or a seed of %d), this one has %d",
			privatePrefix, ed25519.PrivateKeySize, ed25519.SeedSize, len(b)))
	}
	private := ed25519.NewKeyFromSeed(b[:ed25519.SeedSize])
	if len(b) == ed25519.PrivateKeySize && !bytes.Equal(b, private) {
		// Signing under a public key that is not one's own gives the private key away.
		return nil, unusable("the two halves of the " + privatePrefix + " key do not belong together")
	}
	return private, nil
}

func parsePublic(s string) (ed25519.PublicKey, error) {
	b, err := decodeKey(s, publicPrefix)
	if err == nil && len(b) != ed25519.PublicKeySize {
		err = unusable(fmt.Sprintf("a %s key has %d bytes, this one has %d", publicPrefix, ed25519.PublicKeySize, len(b)))
	}
	return b, err
}

// decodeKey takes standard base64, padded or not. A line break, which
// encoding/base64 would skip, is refused by misplaced.
func decodeKey(s, prefix string) ([]byte, error) {
	text := strings.TrimPrefix(s, prefix)
	if text == "" {
		return nil, unusable("nothing follows " + prefix)
	}
	encoding := base64.RawStdEncoding
	if strings.HasSuffix(text, "=") {
		encoding = base64.StdEncoding
	}
	b, err := encoding.DecodeString(text)
	if err != nil && strings.ContainsAny(text, "-_") {
		return nil, unusable("what follows " + prefix + " is base64 of the URL alphabet; put it with + for - and / for _")
	}
	if err != nil {
		return nil, unusable("what follows " + prefix + " is not base64: is it whole?")
	}
	if len(b) == 0 {
		return nil, unusable("nothing follows " + prefix)
	}
	return b, nil
}

func unusable(why string) error { return fmt.Errorf("%w: %s", ErrSecretUnusable, why) }

const redacted = "[redacted]"

// String keeps the secret out of texts.
func (Secret) String() string { return redacted }

// GoString keeps the secret out of %#v.
func (Secret) GoString() string { return redacted }

// LogValue keeps the secret out of logs.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
