package main

import (
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/handlers/directory"
	"github.com/efferent/efferent/internal/settings"
)

// directoryHandler wires the handler of what is known of those who are notified, beside
// that of endpoints, for the same callers.
func directoryHandler(p endpointParts) (*directory.Handler, error) {
	url, err := p.url(settings.AuditQueue)
	if err != nil {
		return nil, err
	}
	return directory.New(directory.Needs{
		Suppressions: p.kept.suppressed, Recipients: p.kept.recipients, Templates: p.kept.templates, MaxTemplates: p.MaxTemplates,
		Audit: &awssqs.Audit{API: p.queues, URL: url, Lanes: p.AuditLanes}, Redactors: p.redactors,
		Caller: p.caller, Now: p.now, Log: p.log,
	})
}
