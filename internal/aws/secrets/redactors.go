package awssecrets

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/efferent/efferent/internal/ledger"
)

const (
	// keyWait is how long an entry waits for its month's key, and noKeysFor how
	// long nobody waits for it again.
	keyWait   = time.Second
	noKeysFor = quiet
)

// errNoKey says that the ledger's keys, or the month's, are not there, or are no
// keys.
var errNoKey = errors.New("no key for the ledger's hashes")

// Redactors gives the ledger's redactors by the months' keys, which lie in one
// secret: {"2026-11": "<base64 of 32 bytes>"}. It is a ledger.Redactors.
//
// A month's key never changes. So one that was read is used for as long as no
// other answer came than that it can't be read now. Where none can be had,
// entries are written without hashes, and the log says so once for each cause.
type Redactors struct {
	API API
	// Name is the secret's name or ARN.
	Name      string
	ShowPaths bool
	// TTL is how long a value is cached (DefaultTTL).
	TTL time.Duration
	Now func() time.Time
	Log *slog.Logger

	cache   cache[*ledger.Redactor]
	present atomic.Pointer[monthRef]
	mu      sync.Mutex
	months  map[string]*monthKey
}

// monthRef is the reference of a month's key.
type monthRef struct {
	year  int
	month time.Month
	ref   string
}

// monthKey is what is known of a month's key while the cache does not give it.
type monthKey struct {
	redactor *ledger.Redactor // nil where none was read
	again    time.Time        // nobody waits for it before
	told     string           // the cause that the log tells of
}

// Redactor returns the redactor of the month that at is in. It waits only where
// none was read yet, for a second at most, and once in half a minute.
func (r *Redactors) Redactor(ctx context.Context, at time.Time) *ledger.Redactor {
	ref := r.ref(at)
	if redactor, ok := r.cache.known(ref, r.Now(), time.Time{}); ok {
		return redactor
	}
	patience := r.patience(ref)
	waiting, stop := context.WithTimeout(ctx, patience)
	defer stop()
	redactor, err := r.cache.get(waiting, r.rule(), ref, time.Time{})
	return r.learn(ref, redactor, err, patience > 0 && ctx.Err() == nil)
}

// ref is the secret's name and, as its key, the month.
func (r *Redactors) ref(at time.Time) string {
	year, month, _ := at.UTC().Date()
	if m := r.present.Load(); m != nil && m.month == month && m.year == year {
		return m.ref
	}
	m := &monthRef{year, month, r.Name + "#" + ledger.Month(at)}
	r.present.Store(m)
	return m.ref
}

// month is what is known of a month's key. mu must be held.
func (r *Redactors) month(ref string) *monthKey {
	if r.months == nil {
		r.months = map[string]*monthKey{}
	}
	if r.months[ref] == nil {
		r.months[ref] = new(monthKey)
	}
	return r.months[ref]
}

// patience is how long a key may be waited for. The look-up goes on without who
// does not wait, and the next entry finds what it brought.
func (r *Redactors) patience(ref string) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if m := r.month(ref); m.redactor != nil || r.Now().Before(m.again) {
		return 0
	}
	return keyWait
}

// learn keeps what a look-up brought, and gives what is to be used. That it
// brought nothing means something only where it was waited for.
func (r *Redactors) learn(ref string, redactor *ledger.Redactor, err error, waited bool) *ledger.Redactor {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.month(ref)
	switch {
	case err == nil:
		*m = monthKey{redactor: redactor}
	case errors.Is(err, errNoKey):
		m.redactor = nil
		r.fail(m, ref, "it is not there", err)
	case waited:
		r.fail(m, ref, "it can't be read", err)
	}
	if m.redactor == nil {
		return ledger.NewRedactor(nil, r.ShowPaths)
	}
	return m.redactor
}

// fail notes that there is no key now. The log tells of it when the cause is a
// new one. mu must be held.
func (r *Redactors) fail(m *monthKey, ref, cause string, err error) {
	if now := r.Now(); !now.Before(m.again) {
		m.again = now.Add(noKeysFor)
	}
	if m.told == cause {
		return
	}
	m.told = cause
	r.Log.Error("a key of the ledger can't be had", "key", ref, "cause", cause, "error", err,
		"entries_without_hashes", m.redactor == nil)
}

func (r *Redactors) rule() rule[*ledger.Redactor] {
	return rule[*ledger.Redactor]{
		api: r.API, now: r.Now, ttl: cmp.Or(r.TTL, DefaultTTL), absentFor: noKeysFor, pick: pickText, make: r.make,
		absent: errNoKey, unusable: errNoKey, noText: "must be JSON",
	}
}

// make makes a redactor of the base64 of a key. Its errors don't quote the key.
func (r *Redactors) make(s source) (*ledger.Redactor, error) {
	key, err := base64.StdEncoding.DecodeString(s.text)
	if err != nil || len(key) != ledger.RedactionKeySize {
		return nil, fmt.Errorf("it is not the base64 of %d bytes", ledger.RedactionKeySize)
	}
	return ledger.NewRedactor(key, r.ShowPaths), nil
}
