package deliver

import "log/slog"

// id is how every log line names its message.
func (d *delivery) id() slog.Attr {
	return slog.Group("", "webhook_id", d.record.WebhookID, "message_id", d.record.MessageID)
}
