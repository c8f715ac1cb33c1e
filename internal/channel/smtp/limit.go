package smtp

import (
	"regexp"
	"strconv"
	"time"

	"github.com/efferent/efferent/internal/channel"
)

// busy is what servers say of too many connections or mails from us, with one of the
// codes 421, 432, 450 to 452 and 454: Postfix ("Postfix Connection Cache", anvil),
// Exim, sendmail, Gmail, Exchange Online ("Concurrent connections limit exceeded") and
// the SMTP of SES ("Throttling failure: Maximum sending rate exceeded").
var busy = regexp.MustCompile(`(?i)too (many|much|fast|quickly)|\brate.?limit|throttl|concurrent (\w+ )?(connection|session)s?|` +
	`\b(rate|quota|limits?) (is |was |has been )?(exceeded|reached)|exceed\w* .{0,60}\b(rate|quota|limit)`)

// daily is a quota that a while does not mend, and quotaWait how long it is waited then.
var daily = regexp.MustCompile(`(?i)\bdaily\b|per day|24.hour`)

const quotaWait = 10 * time.Minute

// aboutMailbox are the enhanced codes of a mailbox that is full or gets too much.
var aboutMailbox = regexp.MustCompile(`^4\.2\.[0-9]+\b`)

// refusedNow is the outcome of an answer that says that it may be another one later.
func refusedNow(code int, text, reason string) channel.Outcome {
	o := channel.Failed(channel.Transient, code, reason)
	switch code {
	case 421, 432, 450, 451, 452, 454:
		if !busy.MatchString(quoted.ReplaceAllString(text, "")) || aboutMailbox.MatchString(text) {
			return o
		}
	default:
		return o
	}
	if o.Class = channel.Limited; daily.MatchString(text) {
		o.RetryAfter = quotaWait
	}
	return o
}

// Limit is that of the account at the server.
func (s *Sender) Limit(string) channel.Limit {
	return channel.Limit{Key: channel.LimitKey("smtp", s.c.Host, strconv.Itoa(s.c.Port), s.c.Username),
		Rate: channel.RateOf(s.c.RatePerSecond)}
}
