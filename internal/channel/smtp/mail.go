package smtp

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"mime"
	"net/mail"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"
	wiresmtp "github.com/wneessen/go-mail/smtp"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/mailbox"
	"github.com/efferent/efferent/internal/report"
)

// email is one mail and its envelope.
type email struct {
	*gomail.Msg
	from *mail.Address
	// to are those in To, and everyone these and the others, each once.
	to, everyone []*mail.Address
	utf8         bool // it needs SMTPUTF8
	last         bool // as the hand-over has it
}

// addressed is who a mail is from and for.
type addressed struct {
	from        *mail.Address
	to, cc, bcc []*mail.Address
	replyTo     *mail.Address // nil for none
}

// mail is h, which channel.CheckEmail has passed, as an email.
func (s *Sender) mail(h channel.Handover) (m *email, refused channel.Outcome, ok bool) {
	var a addressed
	var err error
	if a.from, err = mailbox.Parse(s.c.Sender(h.Tenant)); err != nil {
		return nil, misconfigured(0, "from "+err.Error()+": check it"), false
	}
	for _, list := range []struct {
		what  string
		texts []string
		into  *[]*mail.Address
	}{
		{"the recipient", append([]string{h.Recipient}, h.More...), &a.to}, {"an address in cc", h.CC, &a.cc}, {"an address in bcc", h.BCC,
			&a.bcc},
	} {
		if *list.into, err = mailbox.ParseAll(list.texts); err != nil {
			return nil, channel.Failed(channel.Permanent, 0, "email: "+list.what+" "+err.Error()), false
		}
	}
	if h.ReplyTo != "" {
		if a.replyTo, err = mailbox.Parse(h.ReplyTo); err != nil {
			return nil, channel.Failed(channel.Permanent, 0, "email: reply_to "+err.Error()), false
		}
	}
	m = &email{Msg: newMail(a, h, s.now()), from: a.from, to: mailbox.Distinct(a.to), everyone: mailbox.Distinct(a.to, a.cc, a.bcc),
		last: h.Last}
	if s.Reports() {
		s.ask(m.Msg, h)
	}
	m.utf8 = slices.ContainsFunc(m.everyone,
		mailbox.NeedsUTF8) || mailbox.NeedsUTF8(a.from) || a.replyTo != nil && mailbox.NeedsUTF8(a.replyTo)
	return m, channel.Outcome{}, true
}

// Reports reports whether the server is SES's, and is told what to publish events by.
func (s *Sender) Reports() bool { return s.c.ConfigurationSet != "" }

// ask has SES report what becomes of the mail, by headers that it takes off ("Specify
// your configuration set when you send email").
func (s *Sender) ask(m *gomail.Msg, h channel.Handover) {
	var tags []string
	for _, tag := range (report.Key{WebhookID: h.ID, MessageID: h.MessageID, Attempt: h.Attempt}).Tags() {
		tags = append(tags, tag[0]+"="+tag[1])
	}
	m.SetGenHeaderPreformatted("X-SES-CONFIGURATION-SET", s.c.ConfigurationSet)
	m.SetGenHeaderPreformatted("X-SES-MESSAGE-TAGS", strings.Join(tags, ",\r\n "))
}

func newMail(a addressed, h channel.Handover, date time.Time) *gomail.Msg {
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingQP))
	m.FromMailAddress(a.from)
	m.ToMailAddress(a.to...)
	if len(a.cc) > 0 {
		m.CcMailAddress(a.cc...)
	}
	if a.replyTo != nil {
		m.ReplyToMailAddress(a.replyTo)
	}
	m.SetDateWithValue(date)
	m.SetMessageIDWithValue(messageID(a.from.Address, h))
	m.SetGenHeaderPreformatted(gomail.HeaderSubject, encodeSubject(h.Subject))
	earlier := h.Thread
	if !strings.Contains(earlier, "@") { // it went out by another way, which has no Message-ID of ours
		earlier = ""
	}
	for name, value := range channel.OwnHeaders(h, earlier) {
		m.SetGenHeader(gomail.Header(name), value)
	}
	if h.ListUnsubscribe != "" {
		for name, value := range channel.UnsubscribeHeaders(h.ListUnsubscribe) {
			m.SetGenHeaderPreformatted(gomail.Header(name), value)
		}
	}
	setContent(m, h)
	return m
}

// setContent gives a mail its parts. The text comes before the HTML: of several
// the last that it can show is what a reader shows (RFC 2046, section 5.1.4).
func setContent(m *gomail.Msg, h channel.Handover) {
	if h.Body != "" || h.HTML == "" {
		m.SetBodyString(gomail.TypeTextPlain, h.Body)
	}
	if h.HTML != "" {
		m.AddAlternativeString(gomail.TypeTextHTML, h.HTML)
	}
	for _, a := range h.Attachments {
		content := bytes.NewReader(a.Content)
		if a.ContentID != "" {
			m.EmbedReadSeeker(a.Name, content, headersOf(a, "inline"))
			continue
		}
		m.AttachReadSeeker(a.Name, content, headersOf(a, "attachment"))
	}
}

// headersOf writes a file's headers by RFC 2231, which go-mail does not.
func headersOf(a channel.Attachment, disposition string) gomail.FileOption {
	return func(f *gomail.File) {
		f.Header.Set("Content-Type", a.MediaType())
		f.Header.Set("Content-Disposition", mime.FormatMediaType(disposition, map[string]string{"filename": a.Name}))
		if a.ContentID != "" {
			f.Header.Set("Content-ID", "<"+a.ContentID+">")
		}
	}
}

func (m *email) needsUTF8() bool { return m.utf8 }

// withoutUTF8 is the outcome where the server knows no SMTPUTF8 and the mail
// needs it.
func (m *email) withoutUTF8() channel.Outcome {
	if mailbox.NeedsUTF8(m.from) {
		return misconfigured(0, "the server has no SMTPUTF8, which the sender's address needs: check from")
	}
	return channel.Failed(channel.Permanent, 0, "SMTP: the server has no SMTPUTF8, which the recipient's address needs")
}

// handOver goes through a mail's commands, and tells at which it ended. Of several
// recipients it leaves out those that the server will never take, unless nobody in
// To is left; what it said of them is in left.
func (m *email) handOver(session *wiresmtp.Client, patient func()) (left leftOut, at stage, err error) {
	from, err := m.GetSender(false)
	if err != nil {
		return left, atMail, err
	}
	if err := session.Mail(from); err != nil {
		return left, atMail, err
	}
	if left, err = m.name(session); err != nil {
		return left, atRcpt, err
	}
	content, err := session.Data()
	if err != nil {
		return left, atData, err
	}
	if _, err := m.WriteTo(content); err != nil {
		return left, atContent, err
	}
	patient()
	return left, atEnd, content.Close()
}

// leftOut are the recipients that a server refuses.
type leftOut struct {
	of      int
	answers []string
}

// name names the recipients to the server, all of them even where one is refused for
// now: a greylisting server asks of each to be named again.
func (m *email) name(session *wiresmtp.Client) (left leftOut, err error) {
	left.of = len(m.everyone)
	var out, all error // refused for good, or for the last time; for now, which is for all
	reached := false   // somebody in To
	for i, to := range m.everyone {
		err := session.Rcpt("<" + to.Address + ">")
		var answer *textproto.Error
		if err == nil {
			reached = reached || i < len(m.to)
			continue
		}
		if !errors.As(err, &answer) {
			return left, cmp.Or(all, err)
		}
		switch class := refusedMail(atRcpt, err, nil).Class; {
		case class == channel.Permanent:
			out = cmp.Or(out, err)
		case class == channel.Transient && m.last:
			out = err // there is no other try, but another channel may do
		default:
			all = cmp.Or(all, err)
			continue
		}
		left.answers = append(left.answers, strconv.Itoa(answer.Code)+" "+answer.Msg)
	}
	if all == nil && !reached {
		all = out
	}
	return left, all
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
	everyone := strings.Join(append([]string{h.Recipient}, h.More...), ",")
	sum := sha256.Sum256([]byte(h.Tenant + "\x00" + h.ID + "\x00" + everyone))
	return h.ID + "." + hex.EncodeToString(sum[:6]) + sender[strings.LastIndexByte(sender, '@'):]
}
