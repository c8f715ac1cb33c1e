package webhook

import (
	"crypto/ed25519"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ErrUnverified says that a webhook is not what one of the secrets signed, or
// not now.
var ErrUnverified = errors.New("webhook not verified")

// tolerance is how far a timestamp may be off, to either side, as in the
// Standard Webhooks libraries.
const tolerance = 5 * time.Minute

// Verify checks a received webhook by Standard Webhooks: its timestamp is
// within 5 minutes of now, and at least one of its signatures is of one of
// secrets. Those are texts as ParseSecret takes them, or whpk_ public keys.
// Errors wrap ErrUnverified, or ErrSecretUnusable where a secret is at fault.
func Verify(header http.Header, body []byte, now time.Time, secrets ...string) error {
	id, timestamp, list := header.Get(headerID), header.Get(headerTimestamp), header.Get(headerSignatures)
	switch {
	case id == "":
		return unverified("there is no webhook-id header")
	case timestamp == "":
		return unverified("there is no webhook-timestamp header")
	case list == "":
		return unverified("there is no webhook-signature header")
	}
	if err := checkTimestamp(timestamp, now); err != nil {
		return err
	}
	content := append(appendStart(nil, id, timestamp), body...)
	var right bool
	for _, secret := range secrets {
		match, err := verifier(secret, id, timestamp, body, content)
		if err != nil {
			return err
		}
		for signature := range strings.SplitSeq(list, " ") {
			right = match(signature) || right
		}
	}
	if !right {
		return unverified("none of its signatures is right")
	}
	return nil
}

// checkTimestamp takes whole seconds since 1970, in digits only.
func checkTimestamp(text string, now time.Time) error {
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds < 0 || text[0] == '+' || text[0] == '-' {
		return unverified("webhook-timestamp is not in whole seconds since 1970")
	}
	if off := now.Unix() - seconds; off > int64(tolerance/time.Second) || off < -int64(tolerance/time.Second) {
		return unverified("webhook-timestamp is more than 5 minutes off")
	}
	return nil
}

// verifier returns what recognises a secret's signature of content.
func verifier(secret, id, timestamp string, body, content []byte) (func(signature string) bool, error) {
	var public ed25519.PublicKey
	if strings.HasPrefix(secret, publicPrefix) {
		var err error
		if public, err = parsePublic(secret); err != nil {
			return nil, err
		}
	} else {
		s, err := ParseSecret(secret)
		if err != nil {
			return nil, err
		}
		if s.key.private == nil {
			want := s.key.appendSignature(nil, id, timestamp, body)
			return func(got string) bool { return subtle.ConstantTimeCompare([]byte(got), want) == 1 }, nil
		}
		public = s.key.private.Public().(ed25519.PublicKey)
	}
	return func(got string) bool {
		text, isV1a := strings.CutPrefix(got, "v1a,")
		sig, err := base64.StdEncoding.DecodeString(text)
		return isV1a && err == nil && ed25519.Verify(public, content, sig)
	}, nil
}

func unverified(why string) error { return fmt.Errorf("%w: %s", ErrUnverified, why) }
