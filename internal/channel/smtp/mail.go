package smtp

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	wiresmtp "github.com/wneessen/go-mail/smtp"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/mailbox"
)

// email is one mail and its envelope.
type email struct {
	*gomail.Msg
	from, to *mail.Address
}

// mail is h, which channel.CheckEmail has passed, as an email: plain text in
// UTF-8, one recipient.
func (s *Sender) mail(h channel.Handover) (m *email, refused channel.Outcome, ok bool) {
	from, err := mailbox.Parse(s.c.From)
	if err != nil {
		return nil, misconfigured(0, "from "+err.Error()+": check it"), false
	}
	to, err := mailbox.Parse(h.Recipient)
	if err != nil {
		return nil, channel.Failed(channel.Permanent, 0, "email: the recipient "+err.Error()), false
	}
	return &email{newMail(from, to, h, s.now()), from, to}, channel.Outcome{}, true
}

func newMail(from, to *mail.Address, h channel.Handover, date time.Time) *gomail.Msg {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingQP))
	m.FromMailAddress(from)
	m.ToMailAddress(to)
	m.SetDateWithValue(date)
	m.SetMessageIDWithValue(messageID(from.Address, h))
	m.SetGenHeaderPreformatted(gomail.HeaderSubject, encodeSubject(h.Subject))
	// RFC 3834: nobody's holiday notice shall answer.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	if h.ListUnsubscribe != "" {
		for name, value := range channel.UnsubscribeHeaders(h.ListUnsubscribe) {
			m.SetGenHeaderPreformatted(gomail.Header(name), value)
		}
	}
	m.SetBodyString(gomail.TypeTextPlain, h.Body)
	return m
}

func (m *email) needsUTF8() bool { return mailbox.NeedsUTF8(m.from) || mailbox.NeedsUTF8(m.to) }

// withoutUTF8 is the outcome where the server knows no SMTPUTF8 and the mail
// needs it.
func (m *email) withoutUTF8() channel.Outcome {
	if mailbox.NeedsUTF8(m.from) {
		return misconfigured(0, "the server has no SMTPUTF8, which the sender's address needs: check from")
	}
	return channel.Failed(channel.Permanent, 0, "SMTP: the server has no SMTPUTF8, which the recipient's address needs")
}

// handOver goes through a mail's commands, and tells at which it ended.
func (m *email) handOver(session *wiresmtp.Client) (at stage, err error) {
	from, err := m.GetSender(false)
	if err != nil {
		return atMail, err
	}
	if err := session.Mail(from); err != nil {
		return atMail, err
	}
	to, err := m.GetRecipients()
	if err != nil {
		return atRcpt, err
	}
	if err := session.Rcpt(to[0]); err != nil {
		return atRcpt, err
	}
	content, err := session.Data()
	if err != nil {
		return atData, err
	}
	if _, err := m.WriteTo(content); err != nil {
		return atContent, err
	}
	return atEnd, content.Close()
}

// A line with an encoded word has at most 76 characters (RFC 2047, section 2):
// after "Subject: " there is room for 67, or for 39 bytes in base64.
const (
	subjectLine  = 67
	subjectPiece = 39
)

// encodeSubject writes what is not one line of ASCII as encoded words, one a
// line. go-mail would begin them with an empty line, which some parsers take
// for a space.
func encodeSubject(subject string) string {
	if mailbox.IsASCII(subject) && len(subject) <= subjectLine && !strings.Contains(subject, "=?") && strings.TrimSpace(subject) == subject {
		return subject
	}
	var words []string
	for len(subject) > 0 {
		n := min(len(subject), subjectPiece)
		for n < len(subject) && !utf8.RuneStart(subject[n]) {
			n-- // a character is not divided
		}
		words = append(words, "=?UTF-8?B?"+base64.StdEncoding.EncodeToString([]byte(subject[:n]))+"?=")
		subject = subject[n:]
	}
	return strings.Join(words, "\r\n ")
}

// messageID is the same for every hand-over of a notification, so that mail
// systems can tell a second one. Ids need not be unique: tenants may use the
// same ones, and one may go to several people.
func messageID(sender string, h channel.Handover) string {
	sum := sha256.Sum256([]byte(h.Tenant + "\x00" + h.ID + "\x00" + h.Recipient))
	return h.ID + "." + hex.EncodeToString(sum[:6]) + sender[strings.LastIndexByte(sender, '@'):]
}
