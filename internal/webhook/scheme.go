package webhook

import (
	"cmp"
	"net/http"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/efferent/efferent/internal/message"
)

// The schemes of a Signature.
const (
	SchemeSvix    = "svix"
	SchemeOutpost = "outpost"
	SchemeConvoy  = "convoy"
)

// Signature is what signs a webhook beside Efferent's own headers, or in their
// place: what another service sent to a receiver that is not to change.
//
//   - svix: svix-id, svix-timestamp and svix-signature, whose values are those of
//     webhook-* (Svix, "Verifying Webhooks Manually");
//   - outpost: x-outpost-event-id, -topic, -timestamp and -signature, which is
//     v0=<HMAC of the body>, of each secret, the current one first (Hookdeck
//     Outpost, "Verify Webhook Signatures");
//   - convoy: X-Convoy-Signature, which is the HMAC of the body by the current
//     secret, and the id of the event (Convoy, "Signatures").
//
// The last two take the secret's own bytes, prefix included, as their key.
type Signature struct {
	Scheme string `json:"scheme"`
	// Prefix begins the names of svix's and outpost's headers; empty is the service's own.
	Prefix string `json:"prefix,omitzero"`
	// Header is the name of convoy's; empty is X-Convoy-Signature.
	Header string `json:"header,omitzero"`
	// Timestamped signs the time with the body. That is Convoy's advanced signature,
	// t=<seconds>,v1=<HMAC of "seconds,body">, and what Outpost sent before it signed
	// the body alone: t=<seconds>,v0=<HMAC of "seconds.body">.
	Timestamped bool `json:"timestamped,omitzero"`
	// Hash of convoy's HMAC: sha256, as an empty one is, or sha512.
	Hash string `json:"hash,omitzero"`
	// Encoding of outpost's and convoy's HMAC: hex, as an empty one is, or base64.
	Encoding string `json:"encoding,omitzero"`
	// Only leaves out Efferent's own headers, but for those of the same name.
	Only bool `json:"only,omitzero"`
}

const (
	hashSHA512     = "sha512"
	encodingBase64 = "base64"
	maxName        = 64  // bytes of a prefix or a header's name
	usualList      = 160 // bytes that a value has room for: a rotation's two, in hex
)

// takes are the options of each scheme.
var takes = map[string][]string{
	SchemeSvix:    {"prefix"},
	SchemeOutpost: {"prefix", "timestamped", "encoding"},
	SchemeConvoy:  {"header", "timestamped", "hash", "encoding"},
}

// Check says which field of a signature is wrong, and how: the name is "" of one
// that can be followed.
func (s Signature) Check() (field, problem string) {
	options, known := takes[s.Scheme]
	if !known {
		return "scheme", "must be svix, outpost or convoy"
	}
	given := []struct {
		name   string
		is     bool
		wanted string // what it must be, where it is not
	}{
		{"prefix", s.Prefix != "", wantName(s.Prefix)},
		{"header", s.Header != "", wantName(s.Header)},
		{"timestamped", s.Timestamped, ""},
		{"hash", s.Hash != "", wantOneOf(s.Hash, "sha256", hashSHA512)},
		{"encoding", s.Encoding != "", wantOneOf(s.Encoding, "hex", encodingBase64)},
	}
	for _, option := range given {
		switch {
		case !option.is:
		case !slices.Contains(options, option.name):
			return option.name, "is no option of the scheme " + s.Scheme
		case option.wanted != "":
			return option.name, "must be " + option.wanted
		}
	}
	return "", ""
}

// Shared reports whether it takes a shared key only, and no private one (whsk_).
func (s *Signature) Shared() bool { return s != nil && s.Scheme != SchemeSvix }

func wantOneOf(value, one, other string) string {
	if value == one || value == other {
		return ""
	}
	return one + " or " + other
}

// wantName takes what can be, or can begin, the name of a header that is not the
// connection's. Efferent's own names may be taken: some services use the same.
func wantName(name string) string {
	lower := strings.ToLower(name)
	if len(name) > maxName || !message.OnlyOf(name, "-_") || ofConnection(lower) || ofConnection(strings.TrimRight(lower, "-")) {
		return "at most 64 letters, digits, - and _, and no header of the connection or of the content"
	}
	return ""
}

// sign sets the scheme's headers. Those of its own name are replaced. The error
// wraps ErrSecretUnusable: the scheme takes a shared secret, and there is none.
func (s *Signature) sign(h http.Header, secrets []Secret, id, eventType string, at time.Time, body []byte) error {
	if s.Scheme == SchemeSvix {
		s.standard(h, secrets, id, at, body)
		return nil
	}
	shared := make([]*key, 0, 2)
	for _, secret := range secrets {
		if secret.key.private == nil {
			shared = append(shared, secret.key)
		}
	}
	if len(shared) == 0 {
		return unusable("the endpoint's signature scheme takes a shared secret, and this is a " + privatePrefix + " key")
	}
	if s.Scheme == SchemeOutpost {
		s.outpost(h, shared, id, eventType, at, body)
		return nil
	}
	s.convoy(h, shared, id, at, body)
	return nil
}

// standard is Standard Webhooks under other names.
func (s *Signature) standard(h http.Header, secrets []Secret, id string, at time.Time, body []byte) {
	timestamp := seconds(at)
	name := s.names("Svix-")
	set(h, name("Id"), id)
	set(h, name("Timestamp"), timestamp)
	if s.Only { // else it has been computed
		set(h, name("Signature"), signatures(secrets, id, timestamp, body))
		return
	}
	h[name("Signature")] = h[headerSignatures]
}

func (s *Signature) outpost(h http.Header, shared []*key, id, eventType string, at time.Time, body []byte) {
	timestamp, start := at.UTC().Format(time.RFC3339), ""
	list := make([]byte, 0, usualList)
	if s.Timestamped { // of that time is also the header in seconds
		timestamp = seconds(at)
		start = timestamp + "."
		list = append(append(append(list, "t="...), timestamp...), ',')
	}
	list = append(list, "v0="...)
	for i, k := range shared {
		if i > 0 {
			list = append(list, ',')
		}
		list = k.appendDigest(list, s, start, body)
	}
	name := s.names("X-Outpost-")
	set(h, name("Event-Id"), id)
	set(h, name("Topic"), eventType)
	set(h, name("Timestamp"), timestamp)
	set(h, name("Signature"), string(list))
}

func (s *Signature) convoy(h http.Header, shared []*key, id string, at time.Time, body []byte) {
	list := make([]byte, 0, usualList)
	if s.Timestamped {
		start := seconds(at) + ","
		list = append(append(list, "t="...), start[:len(start)-1]...)
		for _, k := range slices.Backward(shared) { // the oldest first, as there
			list = k.appendDigest(append(list, ",v1="...), s, start, body)
		}
	} else {
		list = shared[0].appendDigest(list, s, "", body)
	}
	set(h, "X-Convoy-Event-Id", id)
	set(h, "X-Convoy-Idempotency-Key", id)
	set(h, textproto.CanonicalMIMEHeaderKey(cmp.Or(s.Header, "X-Convoy-Signature")), string(list))
}

// names makes the headers' names, by what begins them where nothing else is given.
func (s *Signature) names(usual string) func(end string) string {
	prefix := cmp.Or(s.Prefix, usual)
	return func(end string) string { return textproto.CanonicalMIMEHeaderKey(prefix + end) }
}

func set(h http.Header, name, value string) { h[name] = []string{value} }

func seconds(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
