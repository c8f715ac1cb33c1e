// Package settings names every environment variable that Efferent reads and
// turns its text into values. What deploys Efferent uses the same names.
package settings

// The environment variables.
const (
	// WebhooksQueueURL is the queue that webhooks are sent from.
	WebhooksQueueURL = "WEBHOOKS_QUEUE_URL"
	// WebhookFailuresQueueURL is the dead-letter queue of webhooks.
	WebhookFailuresQueueURL = "WEBHOOK_FAILURES_QUEUE_URL"
	// NotificationsQueueURL is the queue that notifications are sent from.
	NotificationsQueueURL = "NOTIFICATIONS_QUEUE_URL"
	// None is given as NotificationsQueueURL where notifications were left out.
	None = "none"
	// NotificationFailuresQueueURL is the dead-letter queue of notifications.
	NotificationFailuresQueueURL = "NOTIFICATION_FAILURES_QUEUE_URL"
	// EventsQueueURL is the queue of events, which go to the endpoints that subscribe.
	EventsQueueURL = "EVENTS_QUEUE_URL"
	// EventFailuresQueueURL is the dead-letter queue of events.
	EventFailuresQueueURL = "EVENT_FAILURES_QUEUE_URL"
	// ReportsQueueURL is the queue of delivery reports.
	ReportsQueueURL = "REPORTS_QUEUE_URL"
	// ReportFailuresQueueURL is the dead-letter queue of delivery reports.
	ReportFailuresQueueURL = "REPORT_FAILURES_QUEUE_URL"
	// AuditQueueURL is the FIFO queue to the ledger.
	AuditQueueURL = "AUDIT_QUEUE_URL"
	// AttemptsTable is the DynamoDB table of attempt records.
	AttemptsTable = "ATTEMPTS_TABLE"
	// WaitingTable is the DynamoDB table of the waiting room.
	WaitingTable = "WAITING_TABLE"
	// CircuitsTable is the DynamoDB table of the circuits of endpoints.
	CircuitsTable = "CIRCUITS_TABLE"
	// EventsTable is the DynamoDB table of the events that were published.
	EventsTable = "EVENTS_TABLE"
	// PaceTable is the DynamoDB table of how fast whom may be sent to.
	PaceTable = "PACE_TABLE"
	// EndpointsTable is the DynamoDB table of the endpoints that are registered.
	EndpointsTable = "ENDPOINTS_TABLE"
	// DirectoryTable is the DynamoDB table of what is known of those who are notified:
	// the suppression lists, for one.
	DirectoryTable = "DIRECTORY_TABLE"
	// MaxHeld is how long a message waits for an open circuit in all before it is
	// exhausted, 1m to 14 days ("6h").
	MaxHeld = "EFFERENT_MAX_HELD"
	// CircuitLimits is when circuits open, and for how long:
	// "failures=5;exchanges=20;first=30s;longest=15m".
	CircuitLimits = "EFFERENT_CIRCUIT_LIMITS"
	// Outcomes is where producers are told how things ended: the URL of an SQS queue, or
	// the ARN of an EventBridge bus; nowhere by default.
	Outcomes = "EFFERENT_OUTCOMES"
	// OutcomeKinds are the kinds of outcomes that are told
	// ("delivery.failed,endpoint.*").
	OutcomeKinds = "EFFERENT_OUTCOME_KINDS"
	// Origin is the name of this sender in a handshake with a receiver: a DNS name
	// ("efferent").
	Origin = "EFFERENT_ORIGIN"
	// MustVerify says that no endpoint is enabled before its receiver has said that it
	// wants events (false).
	MustVerify = "EFFERENT_REQUIRE_VERIFICATION"
	// OutcomesTenant is the tenant whose endpoints get the outcomes, where Outcomes is
	// the queue of events.
	OutcomesTenant = "EFFERENT_OUTCOMES_TENANT"
	// LedgerTable is the DynamoDB table of the ledger's heads and staged entries.
	LedgerTable = "LEDGER_TABLE"
	// LedgerBucket is the S3 bucket of the ledger's tiles and entries.
	LedgerBucket = "LEDGER_BUCKET"
	// CheckpointsBucket is the S3 bucket of the ledger's signed checkpoints.
	CheckpointsBucket = "CHECKPOINTS_BUCKET"
	// LedgerKMSKey is the KMS key that signs checkpoints.
	LedgerKMSKey = "LEDGER_KMS_KEY"
	// LedgerKeySecret is the secret that holds the key that signs checkpoints,
	// where there is no KMS key.
	LedgerKeySecret = "LEDGER_KEY_SECRET"
	// LedgerOrigin names the ledger in its checkpoints, as a URL without a
	// scheme: "example.com/efferent/prod".
	LedgerOrigin = "EFFERENT_LEDGER_ORIGIN"
	// LedgerKeysSecret is the secret that holds the keys, by month, of the hashes
	// in the ledger ("efferent/ledger/keys").
	LedgerKeysSecret = "LEDGER_KEYS_SECRET"
	// LedgerShowPaths says whether the ledger shows the paths of URLs (false):
	// hooks such as Slack's carry their secret there.
	LedgerShowPaths = "EFFERENT_LEDGER_SHOW_PATHS"
	// ChannelSecrets is what the names of the secrets begin with that configure the
	// channels of notifications ("efferent/").
	ChannelSecrets = "EFFERENT_CHANNEL_SECRETS"
	// Attachments are the buckets, or parts of buckets, that the attachments of emails
	// may be read from: "acme-files/invoices/,acme-public". None by default.
	Attachments = "EFFERENT_ATTACHMENTS"
	// RetryPolicies adds to the retry policies: "seed=1s,2s,4s;slow=30s,60s".
	RetryPolicies = "EFFERENT_RETRY_POLICIES"
	// Timeout is how long a whole exchange with an endpoint may take ("10s").
	Timeout = "EFFERENT_TIMEOUT"
	// ResponseLimit is how many bytes of a failure's answer its record keeps
	// (1024).
	ResponseLimit = "EFFERENT_RESPONSE_LIMIT"
	// AllowHTTP says where plain http is allowed: none (default), loopback,
	// all, or a list of hosts.
	AllowHTTP = "EFFERENT_ALLOW_HTTP"
	// AllowCIDRs lists networks that may be connected to although they are not
	// public: "10.1.0.0/16,fd00::/8".
	AllowCIDRs = "EFFERENT_ALLOW_CIDRS"
	// AllowPorts are the ports that may be connected to, of all: "443,8000-8999".
	AllowPorts = "EFFERENT_ALLOW_PORTS"
	// Proxy makes every connection to an endpoint, to Slack and to Twilio:
	// "http://proxy.internal:3128". None is taken from HTTP_PROXY and the like.
	Proxy = "EFFERENT_PROXY"
	// ProxyResolves says that the proxy is given the names of endpoints and guards
	// them (false): otherwise it is given addresses, which have been checked.
	ProxyResolves = "EFFERENT_PROXY_RESOLVES"
	// CABundle is where the certificates of private authorities are that vouch for
	// endpoints too: a file, or a secret by its name under efferent/ or its ARN.
	CABundle = "EFFERENT_CA_BUNDLE"
	// MaxReceives is the maxReceiveCount of the queues of webhooks and of
	// notifications (6).
	MaxReceives = "EFFERENT_MAX_RECEIVES"
	// AuditLanes is the number of message groups of the audit queue (4).
	AuditLanes = "EFFERENT_AUDIT_LANES"
	// SecretTTL is how long a secret is cached ("5m").
	SecretTTL = "EFFERENT_SECRET_TTL"
	// Metrics is which metrics the functions write: all, or those that alarms are on.
	Metrics = "EFFERENT_METRICS"
	// MetricTenants are the tenants whose notifications are counted apart: "acme,globex",
	// all ("*") or none.
	MetricTenants = "EFFERENT_METRIC_TENANTS"
	// SecretGrace is how long after a rotation the signing key before signs too
	// ("24h").
	SecretGrace = "EFFERENT_SECRET_GRACE"
	// TenantClaim is the claim of the API's tokens that says which tenant their bearer
	// is limited to; "*" in it is for all of them. Without it none is limited.
	TenantClaim = "EFFERENT_TENANT_CLAIM"
	// MaxEndpoints is how many endpoints a tenant may register, 1 to 200 (20).
	MaxEndpoints = "EFFERENT_MAX_ENDPOINTS"
	// EventRetention is how long it is kept who gets an event that was published
	// ("336h").
	EventRetention = "EFFERENT_EVENT_RETENTION"
	// OwnSecrets says that an endpoint may name secrets of its own tenant only, whoever
	// registers it (false).
	OwnSecrets = "EFFERENT_OWN_SECRETS_ONLY"
	// TokenSecret is the secret that signs the API's own tokens, each for one tenant
	// and a while; without it there are none.
	TokenSecret = "EFFERENT_TOKEN_SECRET"
)

// The queues, beside deadletter's. A deployment may put a prefix before their
// names; the API and the command name them without it.
const (
	WebhooksQueue      = "webhooks"
	NotificationsQueue = "notifications"
	OutcomesQueue      = "outcomes"
	EventsQueue        = "events"
	ReportsQueue       = "reports"
	AuditQueue         = "audit.fifo"
	AuditFailuresQueue = "audit-failures.fifo"
)
