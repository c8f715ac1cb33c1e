package suppression

import (
	"time"

	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/ledger"
)

// Told is what the ledger is told of an entry before it is added or lifted: the channel,
// a keyed hash of the address, and the reason. The entry's own id is not in it: it is a
// hash without a key, and a ledger can't be erased.
func (e Entry) Told(action, actor string, r *ledger.Redactor, now time.Time) ledger.Entry {
	return ledger.Entry{Action: action, Actor: actor, ID: uuid.NewString(), Tenant: e.Tenant, Timestamp: now,
		Resource: r.OnChannel(string(e.Channel), []string{e.Address}, "") + ", reason=" + string(e.Reason)}
}
