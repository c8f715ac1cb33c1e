package efferent

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/settings"
)

// failuresOf are the dead-letter queues, by the queues that they belong to.
var failuresOf = map[string]string{
	settings.WebhooksQueue:      deadletter.WebhookFailures,
	settings.NotificationsQueue: deadletter.NotificationFailures,
	settings.EventsQueue:        deadletter.EventFailures,
	settings.AuditQueue:         settings.AuditFailuresQueue,
}

// OwnQueues are all queues that there can be, for QueueProps.Own, by the names that
// they have behind a prefix: those of a stack that was removed, for one.
func OwnQueues() map[string]string {
	all := map[string]string{}
	for queue, failures := range failuresOf {
		all[queue], all[failures] = "", ""
	}
	return all
}

var queueARN = regexp.MustCompile(`^arn:[a-z-]+:sqs:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]+(\.fifo)?$`)

func (p QueueProps) checkOwn() error {
	known := OwnQueues()
	for _, name := range slices.Sorted(maps.Keys(p.Own)) {
		arn := p.Own[name]
		switch _, there := known[name]; {
		case !there:
			return fmt.Errorf("prop Own: there is no queue %q; there are %s", name, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		case arn == "" || *awscdk.Token_IsUnresolved(arn):
		case !queueARN.MatchString(arn):
			return fmt.Errorf("prop Own: %q of %s is not the ARN of a queue", arn, name)
		case strings.HasSuffix(name, ".fifo") != strings.HasSuffix(arn, ".fifo"):
			return fmt.Errorf("prop Own: %s can't be %s: one is a FIFO queue, and one is not", name, arn)
		}
	}
	for queue, failures := range failuresOf {
		_, main := p.Own[queue]
		if _, dead := p.Own[failures]; main != dead {
			return fmt.Errorf("prop Own: %s and %s go together, since a queue names its dead-letter queue", queue, failures)
		}
	}
	return nil
}

// ownQueue is a queue that is there already.
func ownQueue(scope constructs.Construct, id string, props Props, name string) awssqs.IQueue {
	arn := props.Queues.Own[name]
	if arn == "" {
		arn = *awscdk.Stack_Of(scope).FormatArn(&awscdk.ArnComponents{
			Service: jsii.String("sqs"), Resource: jsii.String(props.Prefix + name),
		})
	}
	return awssqs.Queue_FromQueueAttributes(scope, jsii.String(id), &awssqs.QueueAttributes{
		QueueArn: jsii.String(arn), Fifo: jsii.Bool(strings.HasSuffix(name, ".fifo")),
	})
}

// TableProps holds for the tables of attempts, of what waits, of circuits, and of paces.
type TableProps struct {
	// Own are tables that are there already and are to be used, by what Efferent
	// calls them: "attempts", "waiting", "circuits", "pace", "endpoints", "events", "directory". Each has its ARN,
	// or its name in the stack's account and region. Nothing about them is changed: docs/deploy.md
	// says what they must be like. Default: none; all tables are made.
	Own map[string]string
}

// What TableProps.Own calls the tables.
const (
	attemptsTable  = "attempts"
	waitingTable   = "waiting"
	circuitsTable  = "circuits"
	paceTable      = "pace"
	endpointsTable = "endpoints"
	publishedTable = "events"
	directoryTable = "directory"
)

var (
	tableARN  = regexp.MustCompile(`^arn:[a-z-]+:dynamodb:[a-z0-9-]+:[0-9]{12}:table/[A-Za-z0-9_.-]{3,255}$`)
	tableName = regexp.MustCompile(`^[A-Za-z0-9_.-]{3,255}$`)
)

func (p TableProps) check() error {
	known := []string{attemptsTable, waitingTable, circuitsTable, paceTable, endpointsTable, publishedTable, directoryTable}
	for _, name := range slices.Sorted(maps.Keys(p.Own)) {
		at := p.Own[name]
		switch {
		case !slices.Contains(known, name):
			return fmt.Errorf("prop Own: there is no table %q; there are %s. The ledger's belongs to its buckets", name, strings.Join(known, ", "))
		case !*awscdk.Token_IsUnresolved(at) && !tableARN.MatchString(at) && !tableName.MatchString(at):
			return fmt.Errorf("prop Own: %q of %s is neither the name nor the ARN of a table", at, name)
		}
	}
	return nil
}

// table is one that is there already, or else the one that is made.
func (p TableProps) table(scope constructs.Construct, name string, made func() awsdynamodb.ITableV2) awsdynamodb.ITableV2 {
	at, own := p.Own[name]
	id := jsii.String("Own" + name)
	switch {
	case !own:
		return made()
	case strings.HasPrefix(at, "arn:") || *awscdk.Token_IsUnresolved(at):
		return awsdynamodb.TableV2_FromTableArn(scope, id, jsii.String(at))
	}
	return awsdynamodb.TableV2_FromTableName(scope, id, jsii.String(at))
}
