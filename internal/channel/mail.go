package channel

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	gomail "github.com/wneessen/go-mail"

	"github.com/efferent/efferent/internal/message"
)

// newMail is h as an email: plain text in UTF-8, one recipient. It refuses
// what could add a header or a recipient.
func newMail(from string, h Handover, date time.Time) (*gomail.Msg, error) {
	sender, err := mail.ParseAddress(from)
	if err != nil || message.HasControl(from) {
		return nil, errors.New("the configured from is not an email address")
	}
	if problem := checkMail(h); problem != "" {
		return nil, errors.New(problem)
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithCharset(gomail.CharsetUTF8), gomail.WithEncoding(gomail.EncodingQP))
	m.FromMailAddress(sender)
	m.ToMailAddress(&mail.Address{Address: h.Recipient})
	m.SetDateWithValue(date)
	m.SetMessageIDWithValue(messageID(sender.Address, h))
	m.SetGenHeaderPreformatted(gomail.HeaderSubject, encodeSubject(h.Subject))
	// RFC 3834: nobody's holiday notice shall answer.
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	if h.ListUnsubscribe != "" {
		for name, value := range UnsubscribeHeaders(h.ListUnsubscribe) {
			m.SetGenHeaderPreformatted(gomail.Header(name), value)
		}
	}
	m.SetBodyString(gomail.TypeTextPlain, h.Body)
	return m, nil
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
	if isASCII(subject) && len(subject) <= subjectLine && !strings.Contains(subject, "=?") && strings.TrimSpace(subject) == subject {
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

// checkMail says what of h can't be an email; "" when nothing is wrong.
func checkMail(h Handover) string {
	if problem := CheckRecipient(Email, h.Recipient); problem != "" {
		return "the recipient " + problem
	}
	if problem := checkSubject(h.Subject); problem != "" {
		return "the subject " + problem
	}
	if problem := CheckText(Email, h.Subject, h.Body); problem != "" {
		return "the body " + problem
	}
	if problem := message.CheckID(h.ID); problem != "" {
		return "the id " + problem
	}
	if h.ListUnsubscribe != "" && checkUnsubscribe(h.ListUnsubscribe) != "" {
		return "list_unsubscribe " + unsubscrWanted
	}
	return ""
}

// CheckEmail returns the outcome of a hand-over that can't be made an email of.
// ok is true when nothing is wrong.
func CheckEmail(h Handover) (refused Outcome, ok bool) {
	if problem := checkMail(h); problem != "" {
		return failed(Permanent, 0, "email: "+problem), false
	}
	return Outcome{}, true
}

// UnsubscribeHeaders are the headers that let a reader unsubscribe (RFC 2369),
// by https with one click (RFC 8058).
func UnsubscribeHeaders(url string) map[string]string {
	h := map[string]string{"List-Unsubscribe": "<" + url + ">"}
	if strings.HasPrefix(url, "https:") {
		h["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
	}
	return h
}

// messageID is the same for every hand-over of a notification, so that mail
// systems can tell a second one. Tenants may use the same ids.
func messageID(sender string, h Handover) string {
	sum := sha256.Sum256([]byte(h.Tenant + "\x00" + h.ID))
	return h.ID + "." + hex.EncodeToString(sum[:6]) + sender[strings.LastIndexByte(sender, '@'):]
}
