package efferent

import (
	"fmt"
	"strconv"

	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/settings"
)

// Patterns of the parameters. CloudFormation reads them as Java does, and Go's
// regexp reads these alike. What they let through, those who read it must take:
// a function that can't start uses up its messages' receives.
const (
	bucketPattern = `^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`
	folderPattern = `^([A-Za-z0-9._-]+/)*$`
	// A secret's name is of these characters, and so a prefix of one is.
	secretsPattern  = `^efferent/webhooks/[A-Za-z0-9/_+=.@-]{0,200}$`
	bundlePattern   = `^(efferent/[A-Za-z0-9/_+=.@-]{1,200})?$`
	hostLabel       = `[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?`
	httpHost        = `(loopback|` + hostLabel + `(\.` + hostLabel + `)+)`
	httpPattern     = `^(none|all|` + httpHost + `(,` + httpHost + `)*)$`
	octet           = `(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])`
	network4        = octet + `(\.` + octet + `){3}/(3[0-2]|[12]?[0-9])`
	network6        = `(::|([0-9a-f]{1,4}:){1,6}:|([0-9a-f]{1,4}:){7}[0-9a-f]{1,4})/(12[0-8]|1[01][0-9]|[1-9]?[0-9])`
	network         = `(` + network4 + `|` + network6 + `)`
	cidrsPattern    = `^(` + network + `(,` + network + `)*)?$`
	delay           = `([1-9][0-9]{0,3}s|([1-9][0-9]{0,2}|1[0-3][0-9]{2}|14[0-3][0-9]|1440)m|([1-9]|1[0-9]|2[0-4])h)`
	policy          = `[a-z0-9_-]{1,64}=(` + delay + `(,` + delay + `){0,99})?`
	policyPattern   = `^(` + policy + `(;` + policy + `)*)?$`
	issuerPattern   = `^(https://[A-Za-z0-9./_~-]{1,500})?$`
	audiencePattern = `^([A-Za-z0-9._~:/@-]{1,200}(,[A-Za-z0-9._~:/@-]{1,200})*)?$`
	originPattern   = `^([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?$`
	// Java and Go read these alike too.
	claimPattern   = `^[A-Za-z0-9_.:/-]{0,200}$`
	senderPattern  = `^` + hostLabel + `(\.` + hostLabel + `){0,5}$`
	tenantPattern  = `^([A-Za-z0-9][A-Za-z0-9_.@-]{0,99})?$`
	queuePattern   = `^(arn:aws[a-z-]*:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,80}(\.fifo)?)?$`
	busPattern     = `^(arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9/._-]{1,256})?$`
	ownBusPattern  = `^([A-Za-z0-9/._-]{1,256}|arn:aws[a-z-]*:events:[a-z0-9-]+:[0-9]{12}:event-bus/[A-Za-z0-9/._-]{1,256})?$`
	sourcesPattern = `^([A-Za-z0-9/._-]{1,256}(,[A-Za-z0-9/._-]{1,256})*)?$`
	// No wildcard of IAM's is in it, and no list: a grant is made of it.
	attachPattern  = `^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9!_.'()/-]{0,400})?$`
	outcomeKind    = `(delivery\.(\*|delivered|failed)|endpoint\.(\*|failing|recovered|disabled|verified|updated)|` + ofNotification + `|\*)`
	ofNotification = `notification\.(\*|delivered|bounced|complained|undelivered)`
	kindsPattern   = `^(` + outcomeKind + `(,` + outcomeKind + `)*)?$`
	topicPattern   = `^(none|arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256}(\.fifo)?)$`
)

// concurrencies are those that may be chosen. As texts in a list: what takes the
// number refuses a text that looks like one, in MiniStack.
var concurrencies = []string{"2", "5", "10", "20", "50", "100", "200", "500", "1000"}

var yesNo = []string{"true", "false"}

// groups are the parameters, as the console's form has them.
func groups() []group {
	return []group{
		{"The functions' code", ofCode()},
		{"Names", ofNames()},
		{"Sending", ofSending()},
		{"Queues and functions", ofFunctions()},
		{"Channels", ofChannels()},
		{"Registered endpoints and events", ofEndpoints()},
		{"Outcomes", ofOutcomes()},
		{"The API", ofAPI()},
		{"The ledger", ofLedger()},
		{"Alarms", ofAlarms()},
	}
}

func ofCode() []parameter {
	return []parameter{
		{name: "CodeBucket", says: "The bucket, in this region, that the functions' zip files were copied to",
			pattern: bucketPattern, must: "the name of a bucket"},
		{name: "CodePrefix", says: "The folder in it, with a slash at its end: efferent/", otherwise: "",
			pattern: folderPattern, must: "empty, or folders that each end in a slash"},
		{name: "Architecture", says: "What the functions run on", otherwise: "arm64", oneOf: []string{"arm64", "x86_64"}},
	}
}

func ofNames() []parameter {
	return []parameter{
		{name: "Prefix", says: "Begins the names of the queues: prod- makes prod-webhooks", otherwise: "",
			pattern: prefixPattern, must: "a letter, then letters, digits and hyphens, 40 at most"},
		{name: "SigningPrefix", says: "What the names of the secrets begin with that may sign", otherwise: "efferent/webhooks/",
			pattern: secretsPattern, must: "efferent/webhooks/, or longer"},
	}
}

func ofSending() []parameter {
	return []parameter{
		{name: "AllowHttp", says: "Where plain http may go: none, all, or hosts by commas, loopback among them", otherwise: "none",
			pattern: httpPattern, must: "none, all, or host names by commas", places: env(settings.AllowHTTP, "", "Deliver", "Notify", "Endpoints")},
		{name: "AllowCidrs", says: "Networks that may be sent to though they are not public, by commas: 10.1.0.0/16,fd00::/8", otherwise: "",
			pattern: cidrsPattern, must: "networks such as 10.1.0.0/16, by commas",
			places: env(settings.AllowCIDRs, "", "Deliver", "Notify", "Endpoints")},
		{name: "RetryPolicies", says: "Retry policies besides the built-in ones, each name once: slow=30s,60s;quick=1s", otherwise: "",
			pattern: policyPattern, must: "name=delay,delay;…, with delays of up to 24h such as 30s",
			places: env(settings.RetryPolicies, "", "Deliver", "Notify", "Fanout", "Endpoints")},
		{name: "ExchangeTimeout", says: "How long a whole exchange with an endpoint may take, in seconds", otherwise: 10, least: 1, most: 20,
			places: env(settings.Timeout, "${}s", "Deliver")},
		{name: "ResponseLimit", says: "Bytes of a failure's answer that its record keeps", otherwise: 1024, least: 1, most: 4096,
			places: env(settings.ResponseLimit, "", "Deliver")},
		{name: "MaxHeld", says: "How long a message waits for open circuits in all, in minutes", otherwise: 360, least: 1, most: 20160,
			places: env(settings.MaxHeld, "${}m", "Deliver", "Release")},
		{name: "CircuitFailures", says: "Failures in a row that open an endpoint's circuit", otherwise: 5, least: 1, most: 1000,
			places: env(settings.CircuitLimits, "failures=${};first=${CircuitFirst}s", "Deliver")},
		{name: "CircuitFirst", says: "How long a circuit is open at first, in seconds", otherwise: 30, least: 1, most: 900},
		{name: "SecretTtl", says: "How long a secret is cached, in seconds", otherwise: 300, least: 1, most: 86400,
			places: env(settings.SecretTTL, "${}s", "Deliver", "Notify", "Fanout")},
		{name: "SecretGrace", says: "How long after a secret's rotation the key before signs too, in hours", otherwise: 24, least: 0, most: 168,
			places: env(settings.SecretGrace, "${}h", "Deliver")},
		{name: "CaBundle", says: "A secret below efferent/ with certificates of private authorities, as PEM", otherwise: "",
			pattern: bundlePattern, must: "the name of a secret below efferent/", conditional: true,
			places: env(settings.CABundle, "", "Deliver", "Notify", "Endpoints"), put: (*Efferent).mayReadBundle},
	}
}

func ofFunctions() []parameter {
	return []parameter{
		{name: "Retention", says: "How long messages are kept, in seconds", otherwise: 1209600, least: 60, most: 1209600,
			places: at("MessageRetentionPeriod", "WebhookQueue", "NotificationQueue", "EventQueue", "AuditQueue")},
		{name: "Memory", says: "Memory of the function that sends webhooks, in MiB", otherwise: 256, least: 128, most: 10240,
			places: at("MemorySize", "DeliverFunction")},
		{name: "MaxConcurrency", says: "Invocations that send webhooks at a time", otherwise: "50", oneOf: concurrencies,
			places: []place{{"DeliverSource", "ScalingConfig.MaximumConcurrency", asNumber}}},
		{name: "NotifyMaxConcurrency", says: "Invocations that send notifications at a time", otherwise: "50", oneOf: concurrencies,
			places: []place{{"NotifySource", "ScalingConfig.MaximumConcurrency", asNumber}}},
		{name: "FanoutMaxConcurrency", says: "Invocations that turn events into messages at a time", otherwise: "50", oneOf: concurrencies,
			places: []place{{"FanoutSource", "ScalingConfig.MaximumConcurrency", asNumber}}},
		{name: "LogRetention", says: "Days that logs are kept", otherwise: "30", oneOf: retentionTexts(),
			places: at("RetentionInDays", "DeliverLogs", "NotifyLogs", "ReleaseLogs", "ReplayLogs", "ApiLogs", "AuditLogs", "CheckpointLogs",
				"FanoutLogs", "EndpointsLogs", "DirectoryLogs")},
	}
}

func ofChannels() []parameter {
	return []parameter{
		{name: "Ses", says: "Email may be sent by Amazon SES", otherwise: "false", oneOf: yesNo, conditional: true, put: (*Efferent).maySES},
		{name: "EndUserMessaging", says: "SMS may be sent by AWS End User Messaging", otherwise: "false", oneOf: yesNo, conditional: true,
			put: (*Efferent).mayEndUserMessaging},
		{name: "Attachments", says: "Where email may have attachments from: a bucket, a slash, and what the keys begin with", otherwise: "",
			pattern: attachPattern, must: "a bucket and a slash, such as acme-files/ or acme-files/invoices/", conditional: true,
			places: env(settings.Attachments, "", "Notify"), put: (*Efferent).mayAttach},
	}
}

func ofAPI() []parameter {
	return []parameter{
		{name: "ApiRate", says: "Requests a second to the API, all callers together", otherwise: 50, least: 1, most: 10000,
			places: at("DefaultRouteSettings.ThrottlingRateLimit", "ApiStage")},
		{name: "ApiBurst", says: "Requests to the API at once", otherwise: 100, least: 1, most: 5000,
			places: at("DefaultRouteSettings.ThrottlingBurstLimit", "ApiStage")},
		{name: "JwtIssuer", says: "Whose tokens the API takes, in place of signed requests: the issuer's https URL", otherwise: "",
			pattern: issuerPattern, must: "an https URL", conditional: true, put: (*Efferent).takesTokens},
		{name: "JwtAudience", says: "What a token's audience must be one of, by commas; needed with JwtIssuer", otherwise: "",
			pattern: audiencePattern, must: "audiences by commas"},
		{name: "TenantClaim", says: "The claim of JwtIssuer's tokens that limits their bearer to one tenant", otherwise: "",
			pattern: claimPattern, must: "the name of a claim", places: env(settings.TenantClaim, "", "Endpoints", "Replay", "Directory")},
		{name: "TokenKeys", says: "A secret below efferent/ with the key of tokens for one tenant's own page: opens the paths below /token/",
			otherwise: "", pattern: bundlePattern, must: "the name of a secret below efferent/", conditional: true,
			places: env(settings.TokenSecret, "", "Endpoints", "Replay", "Directory"), put: (*Efferent).hasTokens},
	}
}

func ofEndpoints() []parameter {
	return []parameter{
		{name: "MaxEndpoints", says: "Endpoints that a tenant may have", otherwise: 20, least: 1, most: 200,
			places: env(settings.MaxEndpoints, "", "Endpoints")},
		{name: "OwnKeysOnly", says: "An endpoint may name secrets of its own tenant only, whoever registers it", otherwise: "false",
			oneOf: yesNo, places: env(settings.OwnSecrets, "", "Endpoints")},
		{name: "MustVerify", says: "No endpoint is enabled before its receiver has said that it wants events", otherwise: "false", oneOf: yesNo,
			places: env(settings.MustVerify, "", "Endpoints")},
		{name: "RequestOrigin", says: "This sender's name when a receiver is asked whether it wants events, a DNS name", otherwise: "efferent",
			pattern: senderPattern, must: "a DNS name in small letters", places: env(settings.Origin, "", "Endpoints")},
		{name: "EventBus", says: "Name or ARN of an EventBridge bus, of this account and region, whose events are taken as published",
			otherwise: "", pattern: ownBusPattern, must: "the name or the ARN of a bus", conditional: true, put: (*Efferent).takesFromBus},
		{name: "EventSources", says: "What those events have as their source, by commas: shop.orders; needed with EventBus", otherwise: "",
			pattern: sourcesPattern, must: "sources by commas"},
		{name: "EventRetention", says: "How long published events are kept, in hours", otherwise: 336, least: 24, most: 8784,
			places: env(settings.EventRetention, "${}h", "Fanout", "Endpoints")},
	}
}

// telling are the functions that tell outcomes.
var telling = []string{"Deliver", "Notify", "Replay", "Fanout", "Endpoints"}

func ofOutcomes() []parameter {
	return []parameter{
		{name: "OutcomesQueue", says: "ARN of a queue that is told how deliveries ended", otherwise: "", pattern: queuePattern,
			must: "the ARN of a queue", conditional: true},
		{name: "OutcomesBus", says: "ARN of an EventBridge bus that is told so, in place of a queue", otherwise: "", pattern: busPattern,
			must: "the ARN of a bus", conditional: true},
		{name: "OutcomesTenant", says: "A tenant whose registered endpoints are told so, in place of both", otherwise: "",
			pattern: tenantPattern, must: "the name of a tenant", conditional: true, places: env(settings.OutcomesTenant, "", telling...),
			put: (*Efferent).mayTell},
		{name: "OutcomeKinds", says: "Which outcomes are told, such as delivery.*,endpoint.disabled", otherwise: outcome.DefaultKinds,
			pattern: kindsPattern, must: "kinds of outcomes by commas", places: env(settings.OutcomeKinds, "", telling...)},
	}
}

func ofLedger() []parameter {
	return []parameter{
		{name: "Origin", says: "Names the ledger in all that is signed, such as example.com/efferent/prod. It must not change", otherwise: "",
			pattern: originPattern, must: "a URL without a scheme, such as example.com/efferent/prod", conditional: true},
		{name: "LedgerShowPaths", says: "The ledger shows the paths of URLs, and not keyed hashes of them", otherwise: "false", oneOf: yesNo,
			places: env(settings.LedgerShowPaths, "", "Deliver", "Notify", "Replay", "Fanout", "Endpoints", "Directory")},
		{name: "LedgerRetention", says: "Days that entries are kept", otherwise: 365, least: int(replacedFor / day), most: 36500,
			places: expirations()},
		{name: "CheckpointLock", says: "Days for which what was signed can't be deleted", otherwise: 1, least: 1, most: 36500,
			places: at("ObjectLockConfiguration.Rule.DefaultRetention.Days", "Checkpoints")},
		{name: "CheckpointMode", says: "COMPLIANCE: not even by the account's root", otherwise: "GOVERNANCE",
			oneOf:  []string{"GOVERNANCE", "COMPLIANCE"},
			places: at("ObjectLockConfiguration.Rule.DefaultRetention.Mode", "Checkpoints")},
	}
}

func ofAlarms() []parameter {
	return []parameter{
		{name: "AlarmTopic", says: "ARN of an SNS topic that hears of the alarms, or none", otherwise: "none",
			pattern: topicPattern, must: "none, or the ARN of an SNS topic", conditional: true},
		{name: "TicketTopic", says: "One that hears, in its place, of what can wait until the morning", otherwise: "none",
			pattern: topicPattern, must: "none, or the ARN of an SNS topic", conditional: true, put: (*Efferent).tellsTopics},
		{name: "MaxAge", says: "How old the oldest message of a queue may get that nobody has taken, in seconds", otherwise: 900,
			least: 60, most: 1209600,
			places: at("Threshold", "WebhookAgeAlarm", "NotificationAgeAlarm", "EventAgeAlarm", "RoomAgeAlarm")},
		{name: "MaxUndelivered", says: "How old a message may be that is tried, in seconds", otherwise: 43200, least: 60, most: 1209600,
			places: at("Threshold", "WebhookUndeliveredAlarm", "NotificationUndeliveredAlarm", "EventUndeliveredAlarm")},
		{name: "MaxAuditAge", says: "How long entries may wait for the ledger, in seconds", otherwise: 600, least: 60, most: 1209600,
			places: at("Threshold", "AuditAgeAlarm")},
		{name: "MaxInFlight", says: "Messages of a queue in flight; SQS stops at 120,000", otherwise: 80000, least: 1, most: 120000,
			places: at("Threshold", "WebhookInFlightAlarm", "NotificationInFlightAlarm", "EventInFlightAlarm")},
		{name: "MaxFailures", says: "Messages of a queue that may die in five minutes", otherwise: 0, least: 0, most: 1000000,
			places: at("Threshold", "WebhookFailuresAlarm", "NotificationFailuresAlarm", "EventFailuresAlarm")},
	}
}

// expirations are the rules of the bucket of tiles: the first is for what was
// replaced, and there is one for each lane.
func expirations() []place {
	places := []place{{id: "LedgerTiles", property: "LifecycleConfiguration.Rules.0.NoncurrentVersionExpiration.NoncurrentDays"}}
	for lane := range (SendingProps{}).lanesOf() {
		places = append(places, place{id: "LedgerTiles", property: fmt.Sprintf("LifecycleConfiguration.Rules.%d.ExpirationInDays", lane+1)})
	}
	return places
}

func retentionTexts() (all []string) {
	for _, days := range retentions {
		all = append(all, strconv.Itoa(days))
	}
	return all
}
