package channel

import (
	"net/textproto"
	"slices"
	"strings"

	"github.com/efferent/efferent/internal/message"
)

// maxHTML is what the text may have too. Gmail shows the first 102 KiB.
const maxHTML = maxEmailBody

// checkMail says what of h can't be an email; "" when nothing is wrong.
func checkMail(h Handover) string {
	for _, to := range append([]string{h.Recipient}, h.More...) {
		if problem := CheckRecipient(Email, to); problem != "" {
			return "the recipient " + problem
		}
	}
	if problem := checkSubject(h.Subject); problem != "" {
		return "the subject " + problem
	}
	if problem := CheckText(Email, h.Subject, h.Body); problem != "" {
		return "the text " + problem
	}
	if problem := message.CheckID(h.ID); problem != "" {
		return "the id " + problem
	}
	if h.ListUnsubscribe != "" && checkUnsubscribe(h.ListUnsubscribe) != "" {
		return "list_unsubscribe " + unsubscrWanted
	}
	return h.Mail.check()
}

// check looks at what only emails have once more: nothing that could add a header
// or a recipient comes as far as a server.
func (m Mail) check() string {
	n := &Notification{Mail: m}
	files := 0
	for _, a := range m.Attachments {
		files += len(a.Content)
	}
	for _, address := range slices.Concat(m.CC, m.BCC) {
		if problem := checkMailbox(address); problem != "" {
			return "cc or bcc has an entry that is wrong: it " + problem
		}
	}
	switch {
	case m.ReplyTo != "" && checkMailbox(m.ReplyTo) != "":
		return "reply_to " + mailboxWanted
	case checkHeaders(n) != "":
		return "headers " + checkHeaders(n)
	case len(m.HTML) > maxHTML:
		return "html must be at most 512 KiB"
	case files > MaxFiles:
		return "attachments must be at most 10 MiB together"
	}
	return ""
}

// CheckEmail returns the outcome of a hand-over that can't be made an email of.
// ok is true when nothing is wrong.
func CheckEmail(h Handover) (refused Outcome, ok bool) {
	if problem := checkMail(h); problem != "" {
		return Failed(Permanent, 0, "email: "+problem), false
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

// OwnHeaders are the headers of h that are for all who send email: those of its
// producer, and those of the thread that it is in, which earlier names by its
// Message-ID, without brackets (RFC 5322, section 3.6.4); empty for none.
func OwnHeaders(h Handover, earlier string) map[string]string {
	// RFC 3834: nobody's holiday notice shall answer.
	all := map[string]string{"Auto-Submitted": "auto-generated"}
	if earlier != "" {
		all["In-Reply-To"], all["References"] = "<"+earlier+">", "<"+earlier+">"
	}
	for name, value := range h.Headers {
		all[textproto.CanonicalMIMEHeaderKey(name)] = value
	}
	return all
}
