package webhook

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/http"
	"time"

	"github.com/efferent/efferent/internal/message"
)

// The headers that Sign sets, in the form that http.Header keeps them.
const (
	headerID         = "Webhook-Id"
	headerTimestamp  = "Webhook-Timestamp"
	headerSignatures = "Webhook-Signature"
	headerSeed       = "X-Webhook-Signature"
	headerEvent      = "X-Webhook-Event"
)

// Sign sets the headers that identify and sign one attempt at a delivery.
// Every secret signs webhook-signature, in the order given (the current one
// first); X-Webhook-Signature is the first one's, and is left out where that
// is a private key. The error wraps ErrSecretUnusable: there is no secret.
//
// Scheme of webhook-*: Standard Webhooks specification, "Signature scheme".
func Sign(h http.Header, secrets []Secret, id, eventType string, at time.Time, body []byte) error {
	if err := checkAll(secrets); err != nil {
		return err
	}
	timestamp := seconds(at)
	values := [5]string{id, timestamp, signatures(secrets, id, timestamp, body), eventType}
	v := values[:] // the five lists of one value share one array
	h[headerID], h[headerTimestamp], h[headerSignatures], h[headerEvent] = v[0:1:1], v[1:2:2], v[2:3:3], v[3:4:4]
	delete(h, headerSeed)
	if first := secrets[0].key; first.private == nil {
		v[4] = first.seedSignature(body)
		h[headerSeed] = v[4:5:5]
	}
	return nil
}

// sign signs by Efferent's own headers and by the request's Signature.
func (r *Request) sign(h http.Header) error {
	if r.Signature == nil {
		return Sign(h, r.Secrets, r.ID, r.EventType, r.At, r.Body)
	}
	if field, problem := r.Signature.Check(); problem != "" {
		return &message.FieldError{Field: "signature." + field, Problem: problem}
	}
	if err := checkAll(r.Secrets); err != nil {
		return err
	}
	if !r.Signature.Only {
		if err := Sign(h, r.Secrets, r.ID, r.EventType, r.At, r.Body); err != nil {
			return err
		}
	}
	return r.Signature.sign(h, r.Secrets, r.ID, r.EventType, r.At, r.Body)
}

func checkAll(secrets []Secret) error {
	if len(secrets) == 0 {
		return unusable("there is none to sign with")
	}
	for _, s := range secrets {
		if s.key == nil {
			return unusable("it was never parsed")
		}
	}
	return nil
}

// signatures is the value of webhook-signature.
func signatures(secrets []Secret, id, timestamp string, body []byte) string {
	var list []byte
	for i, s := range secrets {
		if i > 0 {
			list = append(list, ' ')
		}
		list = s.key.appendSignature(list, id, timestamp, body)
	}
	return string(list)
}

// appendSignature appends "v1,…" or "v1a,…" over "id.timestamp.body".
func (k *key) appendSignature(dst []byte, id, timestamp string, body []byte) []byte {
	if k.private != nil {
		content := append(appendStart(nil, id, timestamp), body...)
		return base64.StdEncoding.AppendEncode(append(dst, "v1a,"...), ed25519.Sign(k.private, content))
	}
	m := k.macs.Get().(*macs)
	defer k.macs.Put(m)
	m.v1.Reset()
	m.scratch = appendStart(m.scratch[:0], id, timestamp)
	m.v1.Write(m.scratch)
	m.v1.Write(body)
	m.scratch = m.v1.Sum(m.scratch[:0])
	return base64.StdEncoding.AppendEncode(append(dst, "v1,"...), m.scratch)
}

func appendStart(dst []byte, id, timestamp string) []byte {
	dst = append(dst, id...)
	dst = append(dst, '.')
	dst = append(dst, timestamp...)
	return append(dst, '.')
}

// seedSignature is the value of X-Webhook-Signature.
func (k *key) seedSignature(body []byte) string {
	m := k.macs.Get().(*macs)
	defer k.macs.Put(m)
	m.whole.Reset()
	m.whole.Write(body)
	m.scratch = m.whole.Sum(m.scratch[:0])
	sum := len(m.scratch)
	m.scratch = append(m.scratch, "sha256="...)
	m.scratch = hex.AppendEncode(m.scratch, m.scratch[:sum])
	return string(m.scratch[sum:])
}

// appendDigest appends the HMAC of start and body under the secret's own bytes, by
// the hash and in the encoding of s.
func (k *key) appendDigest(dst []byte, s *Signature, start string, body []byte) []byte {
	m := k.macs.Get().(*macs)
	defer k.macs.Put(m)
	mac := m.whole
	if s.Hash == hashSHA512 {
		if m.long == nil {
			m.long = hmac.New(sha512.New, k.whole)
		}
		mac = m.long
	}
	mac.Reset()
	m.scratch = append(m.scratch[:0], start...)
	mac.Write(m.scratch)
	mac.Write(body)
	m.scratch = mac.Sum(m.scratch[:0])
	if s.Encoding == encodingBase64 {
		return base64.StdEncoding.AppendEncode(dst, m.scratch)
	}
	return hex.AppendEncode(dst, m.scratch)
}

// macs are a shared secret's HMACs, ready to be used again: setting one up
// costs two blocks of SHA-256 and some memory.
type macs struct {
	whole, v1 hash.Hash
	long      hash.Hash // SHA-512 of whole; made when it is first asked for
	scratch   []byte
}

func newMACs(k *key) *macs {
	return &macs{whole: hmac.New(sha256.New, k.whole), v1: hmac.New(sha256.New, k.v1)}
}
