package replay

import (
	"github.com/efferent/efferent/internal/attempt"
)

// unforged returns the attempts of a webhook id with origins that can be true.
// Whoever may send may name another's message as his origin: what differs from
// that in what its producer set is a message of its own.
func unforged(records []attempt.Record) []attempt.Record {
	messages, models := map[string][]attempt.Record{}, map[string]attempt.Record{}
	for _, r := range records {
		messages[r.MessageID] = append(messages[r.MessageID], r)
		if model, ok := models[r.OriginID()]; !ok || before(r, model) {
			models[r.OriginID()] = r
		}
	}
	own := make([]attempt.Record, len(records))
	for i, r := range records {
		model := models[r.OriginID()].MessageID
		if own[i] = r; model != r.MessageID && !alike(messages[r.MessageID], messages[model]) {
			own[i].Origin = r.MessageID
		}
	}
	return own
}

// before reports whether a tells more surely than b what their origin was: it is
// an attempt of that very message, or else it is the earlier one.
func before(a, b attempt.Record) bool {
	if first := a.OriginID() == a.MessageID; first != (b.OriginID() == b.MessageID) {
		return first
	}
	return a.At.Before(b.At)
}

// alike reports whether the attempts of two SQS messages may be of one message:
// all have its tenant and URL, or its endpoint, and its event type, and a channel has one recipient.
func alike(a, b []attempt.Record) bool {
	recipients := map[string]string{}
	for _, r := range b {
		recipients[r.Channel] = r.Recipient
	}
	for _, r := range a {
		if to := recipients[r.Channel]; whither(r) != whither(b[0]) || r.EventType != b[0].EventType ||
			to != "" && r.Recipient != "" && to != r.Recipient {
			return false
		}
	}
	return true
}

// whither is where an attempt's message goes, as its producer says it: the URL of a
// registered endpoint may change, and its tenant need not be said.
func whither(r attempt.Record) [2]string {
	if r.Endpoint != "" {
		return [2]string{r.Endpoint}
	}
	return [2]string{r.Tenant, r.URL}
}
