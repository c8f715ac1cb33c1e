package message

import (
	"strconv"
	"time"
)

// The SQS message attributes that a message carries when it is sent anew: by a
// replay, or out of the waiting room. All are of the type String.
const (
	CarriedID       = "efferent-id"
	CarriedOrigin   = "efferent-origin"
	CarriedAttempts = "efferent-attempts"
	CarriedFirst    = "efferent-first"
	CarriedRetry    = "efferent-retry"
)

// Carried is what a message takes along when it is sent anew, since SQS gives
// it a new message id.
type Carried struct {
	// ID is its webhook-id, for a message whose body names none.
	ID string
	// Origin is the SQS message id under which it was first received.
	Origin string
	// Attempts is how many were made so far, First when the first was made.
	Attempts int
	First    time.Time
	// Retry is the policy that it follows from now on, whatever its body names.
	Retry string
}

// Attributes are the message attributes that carry c, without those that are
// empty.
func (c Carried) Attributes() map[string]string {
	all := map[string]string{}
	if c.ID != "" {
		all[CarriedID] = c.ID
	}
	if c.Origin != "" {
		all[CarriedOrigin] = c.Origin
	}
	if c.Attempts > 0 {
		all[CarriedAttempts] = strconv.Itoa(c.Attempts)
	}
	if !c.First.IsZero() {
		all[CarriedFirst] = c.First.UTC().Format(time.RFC3339Nano)
	}
	if c.Retry != "" {
		all[CarriedRetry] = c.Retry
	}
	return all
}

// CarriedBy reads the ID, the Origin and the Retry that a message carries; what
// was tried is in its history. text gives the text of a message attribute, nil
// where there is none. What can't be an id is left out.
func CarriedBy(text func(name string) *string) Carried {
	var c Carried
	if id := text(CarriedID); id != nil && ValidID(*id) {
		c.ID = *id
	}
	if origin := text(CarriedOrigin); origin != nil && ValidID(*origin) {
		c.Origin = *origin
	}
	if policy := text(CarriedRetry); policy != nil {
		c.Retry = *policy
	}
	return c
}
