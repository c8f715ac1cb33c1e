package assembly

import (
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/endpoint"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/fanout"
	"github.com/efferent/efferent/internal/settings"
)

// EventBatches are in hand at a time: nobody outside is waited for.
const EventBatches = 16

// Fanner is that handler.
func Fanner(f Feed, webhooks string, s settings.Sending, kept Stores) (eventsource.Handler, error) {
	handler, err := fanout.New(fanout.Needs{
		Needs:     f.needs("fanout", s, kept.Attempts),
		Endpoints: &endpoint.Book{Store: kept.Endpoints},
		Events:    kept.Events,
		Sender:    &awssqs.Outgoing{API: f.Queues, URLs: map[string]string{settings.WebhooksQueue: webhooks}},
	})
	if err != nil {
		return nil, err
	}
	return handler.Handle, nil
}
