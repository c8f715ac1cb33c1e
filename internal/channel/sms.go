package channel

import "fmt"

// DefaultSegments is the most SMS that one notification may take unless the
// configuration says otherwise.
const DefaultSegments = 10

// CheckSMS returns the outcome of a hand-over that must not be made: an
// address or a text that no provider takes, or more SMS than the budget. ok is
// true when nothing is wrong.
func CheckSMS(h Handover, budget int) (refused Outcome, ok bool) {
	if problem := CheckRecipient(SMS, h.Recipient); problem != "" {
		return Failed(Permanent, 0, "SMS: the recipient "+problem), false
	}
	if problem := CheckText(SMS, h.Subject, h.Body); problem != "" {
		return Failed(Permanent, 0, "SMS: the text "+problem), false
	}
	if n := Segments(SMSText(h.Subject, h.Body)); n > budget {
		return Failed(Permanent, 0, fmt.Sprintf("SMS: the text takes %d segments, and the budget is %d", n, budget)), false
	}
	return Outcome{}, true
}
