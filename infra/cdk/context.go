package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/message"
)

// choices is what a deployment was told, by `cdk deploy -c name=value` or by
// the context of cdk.json.
type choices struct {
	Stack string
	Props efferent.Props
}

// setters are the names that may be chosen. docs/deploy.md tells of each.
var setters = map[string]func(*choices, string) error{
	"stack":             text(func(c *choices) *string { return &c.Stack }),
	"prefix":            text(func(c *choices) *string { return &c.Props.Prefix }),
	"lambdas":           text(func(c *choices) *string { return &c.Props.Lambdas }),
	"removal":           setRemoval,
	"key":               text(func(c *choices) *string { return &c.Props.Key }),
	"subnets":           list(func(c *choices) *[]string { return &c.Props.VPC.Subnets }),
	"securityGroups":    list(func(c *choices) *[]string { return &c.Props.VPC.SecurityGroups }),
	"tags":              pairs(func(c *choices) *map[string]string { return &c.Props.Tags }),
	"xray":              flag(func(c *choices) *bool { return &c.Props.XRay }),
	"notifications":     unless(func(c *choices) *bool { return &c.Props.WithoutNotifications }),
	"api":               unless(func(c *choices) *bool { return &c.Props.WithoutAPI }),
	"visibilityTimeout": duration(func(c *choices) *time.Duration { return &c.Props.Queues.VisibilityTimeout }),
	"retention":         duration(func(c *choices) *time.Duration { return &c.Props.Queues.Retention }),
	"failuresRetention": duration(func(c *choices) *time.Duration { return &c.Props.Queues.FailuresRetention }),
	"ownQueues":         setOwnQueues,
	"ownTables":         pairs(func(c *choices) *map[string]string { return &c.Props.Tables.Own }),
	"maxReceiveCount":   number(func(c *choices) *int { return &c.Props.Queues.MaxReceiveCount }),
	"timeout":           duration(func(c *choices) *time.Duration { return &c.Props.Deliver.Timeout }),
	"memory":            number(func(c *choices) *int { return &c.Props.Deliver.Memory }),
	"logRetention": number(func(c *choices) *int { return &c.Props.Deliver.LogRetention },
		func(c *choices) *int { return &c.Props.Notify.LogRetention }, func(c *choices) *int { return &c.Props.Replay.LogRetention },
		func(c *choices) *int { return &c.Props.Release.LogRetention }, func(c *choices) *int { return &c.Props.Rotate.LogRetention },
		func(c *choices) *int { return &c.Props.Audit.LogRetention }, func(c *choices) *int { return &c.Props.Checkpoint.LogRetention },
		func(c *choices) *int { return &c.Props.Reports.LogRetention },
		func(c *choices) *int { return &c.Props.Fanout.LogRetention }, func(c *choices) *int { return &c.Props.Register.LogRetention }),
	"batchSize":            number(func(c *choices) *int { return &c.Props.Deliver.BatchSize }),
	"window":               duration(func(c *choices) *time.Duration { return &c.Props.Deliver.Window }),
	"maxConcurrency":       number(func(c *choices) *int { return &c.Props.Deliver.MaxConcurrency }),
	"secrets":              text(func(c *choices) *string { return &c.Props.Deliver.Secrets }),
	"retryPolicies":        text(func(c *choices) *string { return &c.Props.Sending.RetryPolicies }),
	"allowHttp":            text(func(c *choices) *string { return &c.Props.Deliver.AllowHTTP }),
	"allowCidrs":           text(func(c *choices) *string { return &c.Props.Deliver.AllowCIDRs }),
	"allowPorts":           text(func(c *choices) *string { return &c.Props.Deliver.AllowPorts }),
	"proxy":                text(func(c *choices) *string { return &c.Props.Sending.Proxy }),
	"proxyResolves":        flag(func(c *choices) *bool { return &c.Props.Deliver.ProxyResolves }),
	"secretTtl":            duration(func(c *choices) *time.Duration { return &c.Props.Sending.SecretTTL }),
	"auditLanes":           number(func(c *choices) *int { return &c.Props.Sending.AuditLanes }),
	"metrics":              text(func(c *choices) *string { return &c.Props.Sending.Metrics }),
	"exchangeTimeout":      duration(func(c *choices) *time.Duration { return &c.Props.Deliver.ExchangeTimeout }),
	"responseLimit":        number(func(c *choices) *int { return &c.Props.Deliver.Response }),
	"caBundle":             text(func(c *choices) *string { return &c.Props.Deliver.CABundle }),
	"maxHeld":              duration(func(c *choices) *time.Duration { return &c.Props.Deliver.MaxHeld }),
	"circuitLimits":        text(func(c *choices) *string { return &c.Props.Deliver.Circuits }),
	"secretGrace":          duration(func(c *choices) *time.Duration { return c.secretGrace() }),
	"notifyTimeout":        duration(func(c *choices) *time.Duration { return &c.Props.Notify.Timeout }),
	"notifyMaxConcurrency": number(func(c *choices) *int { return &c.Props.Notify.MaxConcurrency }),
	"releaseTimeout":       duration(func(c *choices) *time.Duration { return &c.Props.Release.Timeout }),
	"rotate":               list(func(c *choices) *[]string { return &c.Props.Rotate.Secrets }),
	"rotateEvery":          days(func(c *choices) *time.Duration { return &c.Props.Rotate.Every }),
	"attachments":          list(func(c *choices) *[]string { return &c.Props.Notify.Attachments }),
	"metricTenants":        list(func(c *choices) *[]string { return &c.Props.Notify.MetricTenants }),
	"channelSecrets":       text(func(c *choices) *string { return &c.Props.Notify.Secrets }),
	"ses":                  flag(func(c *choices) *bool { return &c.Props.Notify.SES }),
	"endUserMessaging":     flag(func(c *choices) *bool { return &c.Props.Notify.EndUserMessaging }),
	"apiRate":              number(func(c *choices) *int { return &c.Props.Replay.Rate }),
	"apiBurst":             number(func(c *choices) *int { return &c.Props.Replay.Burst }),
	"jwtIssuer":            text(func(c *choices) *string { return &c.jwt().Issuer }),
	"jwtAudience":          list(func(c *choices) *[]string { return &c.jwt().Audience }),
	"fanoutMaxConcurrency": number(func(c *choices) *int { return &c.Props.Fanout.MaxConcurrency }),
	"eventBus":             text(func(c *choices) *string { return &c.Props.Fanout.Bus }),
	"eventSources":         list(func(c *choices) *[]string { return &c.Props.Fanout.Sources }),
	"eventRetention":       duration(func(c *choices) *time.Duration { return &c.Props.Fanout.EventRetention }),
	"maxTemplates":         number(func(c *choices) *int { return &c.Props.Register.MaxTemplates }),
	"maxEndpoints":         number(func(c *choices) *int { return &c.Props.Register.MaxEndpoints }),
	"tokenSecret":          text(func(c *choices) *string { return &c.Props.Register.TokenSecret }),
	"tenantClaim":          text(func(c *choices) *string { return &c.Props.Register.TenantClaim }),
	"requestOrigin":        text(func(c *choices) *string { return &c.Props.Register.Origin }),
	"mustVerify":           flag(func(c *choices) *bool { return &c.Props.Register.MustVerify }),
	"ownSecretsOnly":       flag(func(c *choices) *bool { return &c.Props.Register.OwnSecrets }),
	"twilioReports":        flag(func(c *choices) *bool { return &c.Props.Reports.Twilio }),
	"sesReports":           text(func(c *choices) *string { return &c.Props.Reports.ConfigurationSet }),
	"callbackRate":         number(func(c *choices) *int { return &c.Props.Reports.Rate }),
	"callbackBurst":        number(func(c *choices) *int { return &c.Props.Reports.Burst }),
	"outcomes":             text(func(c *choices) *string { return &c.Props.Outcomes.To }),
	"outcomeKinds":         text(func(c *choices) *string { return &c.Props.Outcomes.Kinds }),
	"outcomesTenant":       text(func(c *choices) *string { return &c.Props.Outcomes.Tenant }),
	"ledgerOrigin":         text(func(c *choices) *string { return &c.Props.Ledger.Origin }),
	"ledgerKeySecret":      text(func(c *choices) *string { return &c.Props.Ledger.KeySecret }),
	"ledgerShowPaths":      flag(func(c *choices) *bool { return &c.Props.Ledger.ShowPaths }),
	"ledgerRetention":      duration(func(c *choices) *time.Duration { return &c.Props.Ledger.Retention }),
	"checkpointLock":       duration(func(c *choices) *time.Duration { return &c.Props.Ledger.CheckpointLock }),
	"checkpointCompliance": flag(func(c *choices) *bool { return &c.Props.Ledger.Compliance }),
	"checkpointEvery":      duration(func(c *choices) *time.Duration { return &c.Props.Checkpoint.Every }),
	"alarmTopic":           text(func(c *choices) *string { return &c.Props.Alarms.Topic }),
	"ticketTopic":          text(func(c *choices) *string { return &c.Props.Alarms.TicketTopic }),
	"maxAge":               duration(func(c *choices) *time.Duration { return &c.Props.Alarms.MaxAge }),
	"maxAuditAge":          duration(func(c *choices) *time.Duration { return &c.Props.Alarms.MaxAuditAge }),
	"maxInFlight":          number(func(c *choices) *int { return &c.Props.Alarms.MaxInFlight }),
	"maxUndelivered":       duration(func(c *choices) *time.Duration { return &c.Props.Alarms.MaxUndelivered }),
	"maxFailures":          number(func(c *choices) *int { return &c.Props.Alarms.MaxFailures }),
}

// ours tells names like these from the CDK's own, which have a colon, a slash
// or a hyphen in them: a misspelt one must not be passed over.
var ours = regexp.MustCompile(`^[A-Za-z_]+$`)

// readContext reads what was chosen. Its error names everything that is wrong.
func readContext(context map[string]any) (choices, error) {
	var c choices
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(context)) {
		set, known := setters[name]
		switch {
		case known:
			if err := set(&c, plain(context[name])); err != nil {
				errs = append(errs, fmt.Errorf("context %s: %w", name, err))
			}
		case ours.MatchString(name):
			names := slices.Sorted(maps.Keys(setters))
			errs = append(errs, fmt.Errorf("context %s: unknown%s; there are %s", name, message.Suggestion(name, names), strings.Join(names, ", ")))
		}
	}
	if c.Stack == "" {
		c.Stack = c.Props.Prefix + "Efferent"
	}
	return c, errors.Join(errs...)
}

// plain is a value as it would stand on the command line.
func plain(value any) string {
	if n, ok := value.(float64); ok { // a number of cdk.json
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return fmt.Sprint(value)
}

func text(field func(*choices) *string) func(*choices, string) error {
	return func(c *choices, value string) error {
		*field(c) = value
		return nil
	}
}

func list(field func(*choices) *[]string) func(*choices, string) error {
	return func(c *choices, value string) error {
		*field(c) = strings.Split(value, ",")
		return nil
	}
}

func number(fields ...func(*choices) *int) func(*choices, string) error {
	return func(c *choices, value string) error {
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 {
			return fmt.Errorf("%q is not a whole number from 1", value)
		}
		for _, field := range fields {
			*field(c) = n
		}
		return nil
	}
}

func duration(field func(*choices) *time.Duration) func(*choices, string) error {
	return func(c *choices, value string) error {
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 || d%time.Second != 0 {
			return fmt.Errorf("%q is not a duration of whole seconds such as 30s or 336h", value)
		}
		*field(c) = d
		return nil
	}
}

// days also takes what time.ParseDuration has no unit for.
func days(field func(*choices) *time.Duration) func(*choices, string) error {
	return func(c *choices, value string) error {
		if n, err := strconv.Atoi(strings.TrimSuffix(value, "d")); err == nil && n > 0 && strings.HasSuffix(value, "d") {
			*field(c) = time.Duration(n) * 24 * time.Hour
			return nil
		}
		if err := duration(field)(c, value); err != nil {
			return fmt.Errorf("%q is not a number of days such as 30d", value)
		}
		return nil
	}
}

func flag(field func(*choices) *bool) func(*choices, string) error {
	return func(c *choices, value string) error {
		on, err := strconv.ParseBool(value)
		if err != nil {
			return fmt.Errorf("%q is neither true nor false", value)
		}
		*field(c) = on
		return nil
	}
}

// unless is a flag of what is there if nothing is said, and sets that it is not.
func unless(field func(*choices) *bool) func(*choices, string) error {
	return func(c *choices, value string) error {
		err := flag(field)(c, value)
		*field(c) = err == nil && !*field(c)
		return err
	}
}

// pairs are names with a value each: "a=1,b=2". Without "=" the value is empty.
func pairs(field func(*choices) *map[string]string) func(*choices, string) error {
	return func(c *choices, value string) error {
		all := map[string]string{}
		for part := range strings.SplitSeq(value, ",") {
			name, of, _ := strings.Cut(strings.TrimSpace(part), "=")
			if _, twice := all[name]; name == "" || twice {
				return fmt.Errorf("%q is not a list such as a=x,b=y, in which each name is there once", value)
			}
			all[name] = of
		}
		*field(c) = all
		return nil
	}
}

func setOwnQueues(c *choices, value string) error {
	if value == "all" {
		c.Props.Queues.Own = efferent.OwnQueues()
		return nil
	}
	return pairs(func(c *choices) *map[string]string { return &c.Props.Queues.Own })(c, value)
}

// jwt is whose tokens the API takes, once that is chosen.
func (c *choices) jwt() *efferent.JWT {
	if c.Props.Replay.JWT == nil {
		c.Props.Replay.JWT = &efferent.JWT{}
	}
	return c.Props.Replay.JWT
}

// secretGrace is how long the key before the present one signs, once that is
// chosen: 0 is a choice too.
func (c *choices) secretGrace() *time.Duration {
	c.Props.Deliver.SecretGrace = new(time.Duration)
	return c.Props.Deliver.SecretGrace
}

func setRemoval(c *choices, value string) error {
	switch value {
	case "retain": // the default
	case "destroy":
		c.Props.RemovalPolicy = awscdk.RemovalPolicy_DESTROY
	default:
		return fmt.Errorf("%q is neither retain nor destroy", value)
	}
	return nil
}
