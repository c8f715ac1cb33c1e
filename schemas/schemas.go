// Package schemas holds the contracts that others check against: JSON Schemas of
// what producers put on the queues, and the OpenAPI document of the HTTP API. Tests
// hold them to what the readers take and the API answers.
package schemas

import _ "embed" // the files beside this one

var (
	// Webhook is the JSON Schema (2020-12) of a message on the queue webhooks.
	//go:embed webhook.schema.json
	Webhook []byte
	// Notification is that of a message on the queue notifications.
	//go:embed notification.schema.json
	Notification []byte
	// Outcome is that of what producers are told of how things ended.
	//go:embed outcome.schema.json
	Outcome []byte
	// Event is that of a message on the queue events.
	//go:embed event.schema.json
	Event []byte
	// OpenAPI is the OpenAPI 3.1 document of the HTTP API.
	//go:embed openapi.json
	OpenAPI []byte
)
