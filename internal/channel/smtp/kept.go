package smtp

import (
	"context"
	"time"

	wiresmtp "github.com/wneessen/go-mail/smtp"

	"github.com/efferent/efferent/internal/channel"
)

// session is one that is signed in, for one mail after another.
type session struct {
	*wiresmtp.Client
	w    *wire
	utf8 bool // it was made for addresses beyond ASCII
	// mails is how many went by it, since when it has been idle.
	mails int
	since time.Time
}

const (
	// idleTime is how long a session is kept that nobody needs: a batch's mails come
	// together, and a function that is frozen meanwhile finds it closed.
	idleTime = 2 * time.Second
	// mostIdle bounds those of a process.
	mostIdle = 64
	// placeTime is how long a mail waits in hand for a connection.
	placeTime = 5 * time.Second
)

// place gives a mail a connection's place, and the session that has it where one is
// kept. It reports whether there was one in time.
func (s *Sender) place(ctx context.Context) (kept *session, ok bool) {
	select {
	case kept = <-s.idle:
		return kept, true
	default:
	}
	if s.places == nil {
		return nil, true
	}
	ctx, stop := context.WithTimeout(ctx, placeTime)
	defer stop()
	select {
	case kept = <-s.idle:
		return kept, true
	case s.places <- struct{}{}:
		return nil, true
	case <-ctx.Done():
		return nil, false
	}
}

// leave gives a place back.
func (s *Sender) leave() {
	if s.places != nil {
		<-s.places
	}
}

// revive makes a kept session ready for a mail; nil is none, or one that has ended.
func (k *session) revive(ctx, late context.Context, m *email) *session {
	if k == nil {
		return nil
	}
	if k.utf8 != m.needsUTF8() {
		k.quit()
		return nil
	}
	k.w.renew(ctx, late)
	k.w.hurry(quitPatience)
	if k.Reset() != nil {
		k.w.close()
		return nil
	}
	k.w.hurry(timeout)
	return k
}

// done keeps a session by which a mail went for the next one, or ends it.
func (s *Sender) done(k *session) {
	if k.mails++; k.mails < s.c.MessagesPerConnection && k.w.stop() {
		_ = k.w.SetDeadline(time.Time{})
		k.since = time.Now()
		select {
		case s.idle <- k:
			time.AfterFunc(idleTime, s.expire)
			return
		default:
		}
	}
	k.quit()
	s.leave()
}

// expire ends the session that has been idle for longest, if that is for too long.
func (s *Sender) expire() {
	select {
	case k := <-s.idle:
		if time.Since(k.since) < idleTime {
			select {
			case s.idle <- k: // its own time is to come
				return
			default:
			}
		}
		k.quit()
		s.leave()
	default:
	}
}

// quit ends a session politely.
func (k *session) quit() {
	k.w.hurry(quitPatience)
	_ = k.Quit()
	k.w.close()
}

// send hands a mail over in a kept session, or in one of its own. What a kept one
// refuses before it knows the mail is offered in a new one.
func (s *Sender) send(ctx, late context.Context, kept *session, m *email) (o channel.Outcome, said error) {
	if k := kept.revive(ctx, late, m); k != nil {
		if o, said, again := s.handOver(k, m); !again {
			return o, said
		}
	}
	w := &wire{ctx: ctx, late: late, connect: s.dial, tls: s.tls, implicit: s.c.TLS == channel.TLSImplicit}
	k, o, err := s.open(ctx, w, m)
	if k == nil {
		w.close()
		s.leave()
		return o, err
	}
	o, said, _ = s.handOver(k, m)
	return o, said
}
