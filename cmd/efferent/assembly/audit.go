package assembly

import (
	"time"

	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/audit"
)

// The ledger pays by the commit, so its messages are gathered: nobody waits for
// them.
const (
	AuditBatch = 1000
	AuditRest  = 200 * time.Millisecond
)

// AuditStores is what the ledger is appended to.
type AuditStores interface {
	audit.Heads
	audit.Staging
	audit.Objects
}

// Auditor is that handler.
func Auditor(f Feed, queue awssqs.OwnAPI, kept AuditStores) (eventsource.Handler, error) {
	handler, err := audit.New(audit.Needs{Heads: kept, Staging: kept, Objects: kept, Queue: awssqs.NewOwn(queue, f.URL),
		Metrics: f.Watch.of("audit"), Log: f.Log})
	if err != nil {
		return nil, err
	}
	return handler.Handle, nil
}
