package assembly

import (
	"context"
	"log/slog"
	"time"

	"github.com/efferent/efferent/internal/attempt"
	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	"github.com/efferent/efferent/internal/batch"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/handlers/endpoints"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/report/onward"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/template"
	"github.com/efferent/efferent/internal/waiting"
	"github.com/efferent/efferent/internal/writelog"
)

// sqliteStores are the stores in a data file.
func sqliteStores(db *sqlite.DB, now func() time.Time) Stores {
	attempts, claims, room := sqlite.NewAttempts(db), sqlite.NewClaims(db), sqlite.NewWaiting(db)
	circuits, paces, events := sqlite.NewCircuits(db), sqlite.NewPaces(db), sqlite.NewEvents(db)
	suppressed := sqlite.NewSuppressions(db)
	room.Now, circuits.Now = now, now
	return Stores{
		Attempts: attempts, Claims: claims, Room: room, Circuits: circuits, Paces: paces,
		Endpoints: sqlite.NewEndpoints(db), Events: events, Recipients: sqlite.NewRecipients(db), Suppressed: suppressed,
		Templates: sqlite.NewTemplates(db),
		expire:    []expiring{attempts, claims, room, circuits, paces, events, suppressed},
		Close:     func() {},
	}
}

// OpenStores are those with the attempts' log before the data file at a path. They must
// be closed before that.
func OpenStores(ctx context.Context, db *sqlite.DB, path string, now func() time.Time, log *slog.Logger) (Stores, error) {
	kept := sqliteStores(db, now)
	if path == ":memory:" {
		return kept, nil
	}
	attempts, err := writelog.OpenAttempts(ctx, path, db.ID(), sqlite.NewAttempts(db), writelog.Options{Logger: log})
	if err != nil {
		return Stores{}, err
	}
	kept.Attempts = attempts
	kept.Close = func() {
		if err := attempts.Close(); err != nil {
			log.Error("the last records of attempts did not get to the data file; the next start brings them there", "error", err)
		}
	}
	return kept, nil
}

// eventStore is a store of events as fanout and the API need it.
type eventStore interface {
	event.Store
	event.Keys
}

// Stores is where the handlers keep what they must not forget.
type Stores struct {
	Attempts attemptsStore
	Claims   replay.Claims
	Room     waiting.Store
	Circuits circuit.Store
	// Endpoints are those that are registered.
	Endpoints endpoint.Store
	// Events are those that were published, and the keys of their requests.
	Events eventStore
	Paces  pace.Store
	// Recipients are the people that messages name.
	Recipients recipient.Store
	// Suppressed are the addresses that nothing is sent to.
	Suppressed suppression.Store
	// Templates are those that notifications name.
	Templates template.Store
	Close     func()
	// expire are the stores that nobody else deletes what has expired from.
	expire []expiring
	// Sweeper has them do so, in a worker; nil where DynamoDB does it by itself.
	Sweeper *Sweeper
}

// KeepEvents has events be kept for so long.
func (s *Stores) KeepEvents(retention time.Duration) {
	switch events := s.Events.(type) {
	case *sqlite.Events:
		events.Retention = retention
	case *awsdynamodb.Events:
		events.Retention = retention
	}
}

// attemptsStore is a store of attempts as both rooms need it.
type attemptsStore interface {
	batch.Attempts
	replay.History
	replay.Failures
	endpoints.Attempts
	attempt.Reports
	onward.Store
}
