package ledger

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Redactors gives the redactor of a time's month, for the entries of acts of
// that time. It never fails, and takes a second at most: where there is no key
// at hand, the redactor leaves the hashes out. It is used by many goroutines at
// once.
type Redactors interface {
	Redactor(ctx context.Context, at time.Time) *Redactor
}

// RedactionKeySize is the bytes of a month's key.
const RedactionKeySize = 32

// unhashed is what stands in the ledger for a hash that no key was there for.
const unhashed = "hmac:none"

// Redactor keeps out of the ledger what must stay erasable, by keyed hashes
// (HMAC-SHA256, 16 bytes in hex). There is one key per stack and month: who
// holds it can look an address up, and once it is destroyed nobody can. It may
// be used by many goroutines at once.
type Redactor struct {
	showPaths bool
	// macs are ready to be used again: setting one up costs two blocks of SHA-256
	// and some memory. Nil without a key.
	macs *sync.Pool
}

// mac is one keyed hash in use.
type mac struct {
	hash    hash.Hash
	sum     [sha256.Size]byte
	scratch []byte
}

// NewRedactor returns the redactor of a key, which is the month's. Without a key
// each hash is "hmac:none". With showPaths the paths of URLs stay readable; hooks
// such as Slack's carry their secret there.
func NewRedactor(key []byte, showPaths bool) *Redactor {
	if len(key) == 0 {
		return &Redactor{showPaths: showPaths}
	}
	return &Redactor{showPaths, &sync.Pool{New: func() any { return &mac{hash: hmac.New(sha256.New, key)} }}}
}

// Month names the key of a time, such as 2026-11.
func Month(t time.Time) string { return t.UTC().Format("2006-01") }

// BeforeSending is the resource of an attempt that is about to be made.
func (r *Redactor) BeforeSending(rawURL, event string) string {
	return r.text(func(m *mac) {
		m.add("url=")
		m.addURL(r, rawURL)
		m.add(", event=")
		m.add(event)
	})
}

// AfterSending is the resource of an attempt's outcome; status is 0 where no
// answer came.
func (r *Redactor) AfterSending(rawURL string, status int) string {
	return r.text(func(m *mac) {
		m.add("url=")
		m.addURL(r, rawURL)
		m.add(", status=")
		m.scratch = strconv.AppendInt(m.scratch, int64(status), 10)
	})
}

// OnChannel is the resource of a hand-over of a notification to addresses: none
// where the channel has its own; class is its failure's, empty where there is none.
func (r *Redactor) OnChannel(channel string, addresses []string, class string) string {
	return r.text(func(m *mac) {
		m.add("channel=")
		m.add(channel)
		for _, address := range addresses {
			m.add(", recipient=")
			m.addHash("recipient", address)
		}
		if class != "" {
			m.add(", class=")
			m.add(class)
		}
	})
}

// DeadLetter is the resource of an act on one message of a dead-letter queue, or
// on one that waits to go back to a queue.
func (r *Redactor) DeadLetter(queue, rawURL string) string {
	return r.text(func(m *mac) {
		m.add("queue=")
		m.add(queue)
		m.add(", url=")
		m.addURL(r, rawURL)
	})
}

// Recipient is what the ledger says of an address of a notification.
func (r *Redactor) Recipient(address string) string {
	return r.text(func(m *mac) { m.addHash("recipient", address) })
}

// URL is what the ledger says of a URL: scheme, host and port, and the path as
// it is or as a hash. User, query and fragment are left out.
func (r *Redactor) URL(rawURL string) string {
	return r.text(func(m *mac) { m.addURL(r, rawURL) })
}

// text is what write adds to an empty text.
func (r *Redactor) text(write func(*mac)) string {
	if r.macs == nil {
		m := &mac{}
		write(m)
		return string(m.scratch)
	}
	m := r.macs.Get().(*mac)
	defer r.macs.Put(m)
	m.scratch = m.scratch[:0]
	write(m)
	return string(m.scratch)
}

func (m *mac) add(text string) { m.scratch = append(m.scratch, text...) }

// addHash adds a hash that is keyed, and by kind: an address and a path that
// are alike do not tell of one another.
func (m *mac) addHash(kind, text string) {
	if m.hash == nil {
		m.add(unhashed)
		return
	}
	m.hash.Reset()
	start := len(m.scratch)
	m.scratch = append(append(append(m.scratch, kind...), 0), text...)
	m.hash.Write(m.scratch[start:])
	m.scratch = append(m.scratch[:start], "hmac:"...)
	m.scratch = hex.AppendEncode(m.scratch, m.hash.Sum(m.sum[:0])[:16])
}

func (m *mac) addURL(r *Redactor, raw string) {
	origin, path, ok := splitURL(raw)
	switch {
	case !ok:
		// Not a URL that could have been sent to: nothing of it is known to be safe.
		if raw != "" {
			m.addHash("path", raw)
		}
		return
	case path == "" || path == "/" || r.showPaths:
		m.add(origin)
		m.add(path)
		return
	}
	m.add(origin)
	m.add("/")
	m.addHash("path", path)
}

// splitURL cuts a web address into what is before its path, without a user, and
// its path; query and fragment are left out (RFC 3986, section 3). Anything
// else is not ok, and so is one that is cut in the wrong place: what is before
// the path can't be a host and a port then.
func splitURL(raw string) (origin, path string, ok bool) {
	if end := strings.IndexAny(raw, "?#"); end >= 0 {
		raw = raw[:end]
	}
	scheme, rest, _ := strings.Cut(raw, "://")
	if !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
		return "", "", false
	}
	authority := rest
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		authority, path = rest[:slash], rest[slash:]
	}
	host := authority[strings.LastIndexByte(authority, '@')+1:]
	if !isHostAndPort(host) {
		return "", "", false
	}
	if host == authority {
		return raw[:len(raw)-len(path)], path, true
	}
	return scheme + "://" + host, path, true
}

// isHostAndPort reports whether a text may be a host, and perhaps a port.
func isHostAndPort(text string) bool {
	host := text
	if colon := strings.LastIndexByte(text, ':'); colon >= 0 && !strings.HasSuffix(text, "]") {
		host = text[:colon]
		if strings.Trim(text[colon+1:], "0123456789") != "" {
			return false
		}
	}
	if address, found := strings.CutPrefix(host, "["); found {
		return strings.HasSuffix(address, "]") && strings.Trim(address, "0123456789abcdefABCDEF:.]") == ""
	}
	return host != "" && !strings.ContainsAny(host, "\\:[] %")
}
