package channel

import (
	"strings"

	"github.com/efferent/efferent/internal/message"
)

// checkMail says what of h can't be an email; "" when nothing is wrong.
func checkMail(h Handover) string {
	if problem := CheckRecipient(Email, h.Recipient); problem != "" {
		return "the recipient " + problem
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
