package awssecrets

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"golang.org/x/sync/singleflight"
)

// API is what reading a secret takes.
type API interface {
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.GetSecretValueOutput, error)
}

// DefaultTTL is how long a value is used before it is fetched again.
const DefaultTTL = 5 * time.Minute

const (
	// fetchTimeout bounds one look-up, so that an unreachable Secrets Manager
	// does not use up the time of a batch's other messages.
	fetchTimeout = 3 * time.Second
	// quiet is how long a secret that was read is not read again, whoever wants
	// a newer one: an endpoint that refuses everything must not become a load
	// on Secrets Manager.
	quiet = 30 * time.Second
	// passing is how long a failure that may pass stands for all who ask: it
	// serves a batch, and is over before the next attempt.
	passing = time.Second
	// outage is how long past its TTL a value is used while Secrets Manager can't
	// be read.
	outage = 24 * time.Hour
	// patience is how long a caller waits for a newer value who can do with the
	// last one: much longer than Secrets Manager takes, and short of the time that
	// a batch has for its keys.
	patience = time.Second
)

// cache keeps what is made of secrets' values. It is the one rule about when a
// secret is read:
//
//   - a value is given for the TTL, to who asks for one read at or after
//     `since` only if it was, or if it is less than half a minute old: a secret
//     is read at most once in half a minute (or in the TTL, where that is
//     shorter), however many ask for it, by whichever of its JSON keys;
//   - that a secret is not there, or that nothing can be made of it, is given
//     for rule.absentFor, and then looked at again;
//   - who knows that it was changed since (changed) has it read once more;
//   - a failure that may pass is given for a second from its end. Where there is
//     a value within its TTL, or within rule.outage after it, that is given
//     instead, for half a minute.
//
// Look-ups of one secret at the same time are one look-up, of fetchTimeout at
// most, in one request; or in two while the version before the current one may
// be of use (rule.grace): both are read in it, so that nobody gets a new one
// without the one before. Each caller waits for it no longer than its own context, and for a second
// where there is a value to be given instead. A secret is one by the name or ARN
// that it is asked for.
type cache[T any] struct {
	made     sync.Map // reference → *part[T]
	readings sync.Map // name or ARN → *reading
	flights  singleflight.Group
	swept    atomic.Pointer[time.Time]
}

// rule is what the users of a cache differ in.
type rule[T any] struct {
	api       API
	now       func() time.Time
	ttl       time.Duration
	absentFor time.Duration
	// outage is how long past its TTL a value is used that can't be read anew.
	outage time.Duration
	// grace is how long after a version was made the one before it is of use; it is
	// read while it is. 0: never.
	grace time.Duration
	// absent and unusable are the user's words for a secret that is not there,
	// and for one that can't be used; noText says why one that is binary can't.
	absent, unusable error
	noText           string
	// pick takes what a reference names out of a reading; keyed says that it names a
	// key. It does not get a binary secret, and its errors never quote one.
	pick func(l *reading, key string, keyed bool) (source, error)
	// make makes what is kept of that.
	make func(source) (T, error)
}

// source is all that a thing is made of: equal ones make equal things.
type source struct {
	text string
	// previous is the text before it, "" where there is none of use, and until is
	// when its use ends.
	previous string
	until    time.Time
}

// reading is what one look-up found. It does not change, but for replaced.
type reading struct {
	staged             // the current version
	previous staged    // the one before, where it is of use
	lacks    bool      // previous could not be read
	err      error     // there is no text
	trouble  error     // why a look-up after it brought nothing newer
	at       time.Time // when the look-up began that found it
	until    time.Time // it is given to anybody until then,
	again    time.Time // … to who wants a newer one until then,
	missing  time.Time // … and so is what can't be made of it until then
	tried    time.Time // when the last look-up began, be it that it failed

	replaced atomic.Bool // by another one, which is better
}

// part is what was made of a reading: of the whole, or of one key of a JSON
// secret.
type part[T any] struct {
	of   *reading
	from source
	made T
}

// get returns what is made of the secret that ref names: `name`, an ARN, or
// either with #key for one key of a JSON secret. See cache for the rest.
func (c *cache[T]) get(ctx context.Context, r rule[T], ref string, since time.Time) (T, error) {
	name, _, _ := strings.Cut(ref, "#")
	now := r.now()
	last := c.last(name)
	if last != nil && last.serves(now, since) {
		made, err := c.part(r, last, ref)
		if err == nil || now.Before(last.missing) {
			return made, err
		}
	}
	if last.lasts(now, r.ttl, r.outage) {
		if made, err := c.part(r, last, ref); err == nil {
			return c.newer(ctx, r, name, ref, last, made)
		}
	}
	next, err := c.renew(ctx, r, name, last)
	if err != nil {
		var none T
		return none, err
	}
	return c.part(r, next, ref)
}

// newer is what a new reading makes of ref, or what was made of the last one
// where that is not there soon.
func (c *cache[T]) newer(ctx context.Context, r rule[T], name, ref string, last *reading, made T) (T, error) {
	soon, stop := context.WithTimeout(ctx, patience)
	defer stop()
	next, err := c.renew(soon, r, name, last)
	if err != nil {
		return made, nil
	}
	return c.part(r, next, ref)
}

// known is get where nothing has to be read or made.
func (c *cache[T]) known(ref string, now, since time.Time) (made T, ok bool) {
	if kept, ok := c.made.Load(ref); ok {
		if p := kept.(*part[T]); !p.of.replaced.Load() && p.of.serves(now, since) {
			return p.made, true
		}
	}
	return made, false
}

// changed has the secret of ref read by who asks next, if nobody has tried to since at.
func (c *cache[T]) changed(ref string, at time.Time) {
	name, _, _ := strings.Cut(ref, "#")
	last := c.last(name)
	if last == nil || !last.tried.Before(at) {
		return
	}
	stale := &reading{staged: last.staged, previous: last.previous, lacks: last.lacks, err: last.err, trouble: last.trouble,
		at: last.at, tried: at}
	if c.readings.CompareAndSwap(name, last, stale) {
		last.replaced.Store(true)
	}
}

func (c *cache[T]) last(name string) *reading {
	if last, ok := c.readings.Load(name); ok {
		return last.(*reading)
	}
	return nil
}

func (l *reading) serves(now, since time.Time) bool {
	return now.Before(l.until) && (!l.at.Before(since) || now.Before(l.again))
}

// lasts reports whether there is a value that is to be used where none can be
// read. It is of its own age, whatever look-ups have failed since.
func (l *reading) lasts(now time.Time, ttl, outage time.Duration) bool {
	return l != nil && l.err == nil && now.Before(l.at.Add(ttl+outage))
}

// renew reads a secret, unless somebody has since the caller saw the last one.
func (c *cache[T]) renew(ctx context.Context, r rule[T], name string, seen *reading) (*reading, error) {
	flight := c.flights.DoChan(name, func() (any, error) {
		last := c.last(name)
		if last != nil && last != seen {
			return last, nil
		}
		next := r.read(ctx, name)
		c.sweep(next.at, r.ttl, r.outage)
		if next.trouble != nil && last.lasts(next.at, r.ttl, r.outage) {
			next = last.after(next, r.ttl)
		}
		if next.lacks {
			next.previous = last.before(next)
		}
		c.readings.Store(name, next)
		if last != nil {
			last.replaced.Store(true)
		}
		return next, nil
	})
	select {
	case done := <-flight:
		return done.Val.(*reading), nil
	case <-ctx.Done():
		return nil, fmt.Errorf("secret %q: %w", name, ctx.Err())
	}
}

// after is what is known once a look-up has failed.
func (l *reading) after(failed *reading, ttl time.Duration) *reading {
	next := &reading{
		staged: l.staged, previous: l.previous, at: l.at, until: failed.at.Add(min(quiet, ttl)),
		trouble: failed.trouble, again: failed.at.Add(quiet), missing: failed.missing, tried: failed.at,
	}
	if next.until.Before(l.until) {
		next.until = l.until
	}
	return next
}

// read makes one look-up. It is not the one caller's whose turn it is, so it
// does not end with that one's context.
func (r *rule[T]) read(ctx context.Context, name string) *reading {
	ctx, stop := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer stop()
	at := r.now()
	out, err := r.api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	l := &reading{at: at, until: at.Add(r.ttl), again: at.Add(quiet), missing: at.Add(r.absentFor), tried: at}
	var none *types.ResourceNotFoundException
	var deleted *types.InvalidRequestException // it is marked for deletion
	switch {
	case errors.As(err, &none), errors.As(err, &deleted):
		l.err = fmt.Errorf("%w: %q", r.absent, name)
	case err != nil:
		l.trouble = fmt.Errorf("secret %q can't be read: %w", name, err)
		l.err, l.missing = l.trouble, r.now().Add(passing)
		l.until = l.missing
	case out.SecretString == nil:
		l.err = fmt.Errorf("secret %q: %w: it is binary, and %s", name, r.unusable, r.noText)
	default:
		l.staged = stagedIn(out)
		r.readPrevious(ctx, name, l)
	}
	return l
}

// sweep forgets secrets that nobody has asked for, once in a TTL; those that are
// there, only once they are of no use any more.
func (c *cache[T]) sweep(now time.Time, ttl, outage time.Duration) {
	last := c.swept.Load()
	if last != nil && now.Sub(*last) < ttl || !c.swept.CompareAndSwap(last, &now) {
		return
	}
	c.readings.Range(func(name, l any) bool {
		if l.(*reading).old(now, ttl, outage) {
			c.readings.CompareAndDelete(name, l)
		}
		return true
	})
	c.made.Range(func(ref, p any) bool {
		if p.(*part[T]).of.old(now, ttl, outage) {
			c.made.CompareAndDelete(ref, p)
		}
		return true
	})
}

func (l *reading) old(now time.Time, ttl, outage time.Duration) bool {
	return now.Sub(l.until) >= ttl && !l.lasts(now, ttl, outage)
}

// part gives what ref makes of a reading. What was made of the same before is
// taken over, and with it what was prepared.
func (c *cache[T]) part(r rule[T], l *reading, ref string) (T, error) {
	var none T
	if l.err != nil {
		return none, l.err
	}
	_, key, keyed := strings.Cut(ref, "#")
	from, err := r.pick(l, key, keyed)
	if err == nil {
		next := &part[T]{of: l, from: from}
		if kept, ok := c.made.Load(ref); ok && kept.(*part[T]).from == from {
			next.made = kept.(*part[T]).made
		} else {
			next.made, err = r.make(from)
		}
		if err == nil {
			c.made.Store(ref, next)
			return next.made, nil
		}
	}
	switch {
	case l.trouble != nil: // a newer one may be good
		return none, l.trouble
	case errors.Is(err, r.unusable):
		return none, fmt.Errorf("secret %q: %w", ref, err)
	}
	return none, fmt.Errorf("secret %q: %w: %w", ref, r.unusable, err)
}
