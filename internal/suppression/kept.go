package suppression

import "time"

// Kept is what a store has for an address: an entry, when the last one was lifted, or
// neither.
type Kept struct {
	Entry Entry
	// Lifted is zero where there is an entry.
	Lifted time.Time
}

// There reports whether there is an entry.
func (k Kept) There() bool { return k.Entry.ID != "" }

// Takes reports whether an entry comes on the list, as Store has it.
func (k Kept) Takes(e Entry) bool {
	switch {
	case k.There():
		return e.Reason.Rank() > k.Entry.Reason.Rank()
	case e.Reason == ByHand:
		return true
	}
	return e.Since.UnixMilli() >= k.Lifted.UnixMilli()
}

// Lifts reports whether a lifting changes what is kept, be it only when the last one
// was.
func (k Kept) Lifts(l Lifting) bool {
	switch {
	case !k.There():
		return k.Lifted.IsZero() || l.At.UnixMilli() > k.Lifted.UnixMilli()
	case l.Only == "":
		return true
	}
	return l.Only == k.Entry.Reason && k.Entry.Since.UnixMilli() <= l.At.UnixMilli()
}
