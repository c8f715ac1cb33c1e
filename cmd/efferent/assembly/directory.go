package assembly

import (
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/handlers/directory"
	"github.com/efferent/efferent/internal/settings"
)

// directoryHandler wires the handler of what is known of those who are notified, beside
// that of endpoints, for the same callers.
func directoryHandler(p EndpointParts) (*directory.Handler, error) {
	url, err := p.URL(settings.AuditQueue)
	if err != nil {
		return nil, err
	}
	return directory.New(directory.Needs{
		Suppressions: p.Kept.Suppressed, Recipients: p.Kept.Recipients, Templates: p.Kept.Templates, MaxTemplates: p.MaxTemplates,
		Audit: &awssqs.Audit{API: p.Queues, URL: url, Lanes: p.AuditLanes}, Redactors: p.Redactors,
		Caller: p.Caller, Now: p.Now, Log: p.Log,
	})
}
