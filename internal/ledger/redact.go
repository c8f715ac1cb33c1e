package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"
)

// Redactor keeps out of the ledger what must stay erasable, by keyed hashes
// (HMAC-SHA256, 16 bytes in hex). There is one key per stack and month: who
// holds it can look an address up, and once it is destroyed nobody can.
type Redactor struct {
	// Key is the month's, 32 bytes.
	Key []byte
	// ShowPaths leaves the paths of URLs readable. Hooks such as Slack's carry
	// their secret there.
	ShowPaths bool
}

// Month names the key of a time, such as 2026-11.
func Month(t time.Time) string { return t.UTC().Format("2006-01") }

// Recipient is what the ledger says of an address of a notification.
func (r Redactor) Recipient(address string) string { return r.hash("recipient", address) }

// URL is what the ledger says of a URL: scheme, host and port, and the path as
// it is or as a hash. User, query and fragment are left out.
func (r Redactor) URL(raw string) string {
	bare := withoutQuery(raw)
	if r.ShowPaths {
		return bare
	}
	scheme, rest, found := strings.Cut(bare, "//")
	if !found {
		// Not a URL that could have been sent to: nothing of it is known to be safe.
		return r.hash("path", bare)
	}
	host, path, _ := strings.Cut(rest, "/")
	if path == "" {
		return bare
	}
	return scheme + "//" + host + "/" + r.hash("path", "/"+path)
}

// hash is keyed, and by kind: an address and a path that are alike do not tell
// of one another.
func (r Redactor) hash(kind, text string) string {
	mac := hmac.New(sha256.New, r.Key)
	mac.Write([]byte(kind + "\x00" + text))
	return "hmac:" + hex.EncodeToString(mac.Sum(nil)[:16])
}
