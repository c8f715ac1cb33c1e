package assembly

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/jonboulle/clockwork"

	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	awsses "github.com/efferent/efferent/internal/aws/ses"
	awssms "github.com/efferent/efferent/internal/aws/sms"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/exchange"
	"github.com/efferent/efferent/internal/channel/senders"
	"github.com/efferent/efferent/internal/eventsource"
	"github.com/efferent/efferent/internal/handlers/notify"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/template"
)

// Notices is what the handler of notifications takes beside its queue.
type Notices struct {
	Settings settings.Notifications
	Senders  notify.Senders
	Kept     Stores
	Files    notify.Files
}

// Notifier is that handler.
func Notifier(f Feed, n Notices) (eventsource.Handler, error) {
	handler, err := notify.New(notify.Needs{
		Needs:        f.needs("notify", n.Settings.Sending, n.Kept.Attempts),
		Senders:      n.Senders,
		Claims:       n.Kept.Claims,
		Recipients:   n.Kept.Recipients,
		Suppressions: n.Kept.Suppressed,
		Parts:        &awssqs.Outgoing{API: f.Queues, URLs: map[string]string{settings.NotificationsQueue: f.URL}},
		Onward:       n.Kept.Attempts,
		Files:        n.Files,
		Templates:    &template.Book{Store: n.Kept.Templates, Now: f.Now},
		Tenants:      n.Settings.Tenants,
		Pace:         &pace.Keeper{Store: n.Kept.Paces, Patience: notify.Patience, Now: f.Now, Log: f.Log},
	})
	if err != nil {
		return nil, err
	}
	return handler.Handle, nil
}

// NotificationSettings are those of a process that nobody pays for by the metric: it
// counts all tenants apart, unless it is told otherwise.
func NotificationSettings(getenv func(string) string) (settings.Notifications, error) {
	return settings.ReadNotifications(func(name string) string {
		if value := getenv(name); value != "" || name != settings.MetricTenants {
			return value
		}
		return settings.AllTenants
	})
}

// Providers are the senders by the secrets' configurations, without AWS's own.
func Providers(s settings.Notifications, secrets awssecrets.API) *senders.Maker {
	return &senders.Maker{
		Prefix:   s.ChannelSecrets,
		Secrets:  &awssecrets.Texts{API: secrets, TTL: s.SecretTTL, Now: time.Now},
		HTTP:     exchange.NewTransportBy(s.Proxy),
		Webhooks: awssecrets.Client(secrets, s.Client(), s.CABundle, settings.CABundle),
		Clock:    clockwork.NewRealClock(),
	}
}

// WithAWS adds AWS's own senders, with the caller's own credentials.
func WithAWS(p *senders.Maker, config aws.Config) *senders.Maker {
	p.SES = func(c channel.EmailConfig) channel.Sender { return awsses.New(config, c) }
	p.EndUserMessaging = func(c channel.SMSConfig) channel.Sender { return awssms.New(config, c) }
	return p
}
