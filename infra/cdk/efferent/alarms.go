package efferent

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/metric"
)

// AlarmProps is when the alarms go off, and who hears of it.
type AlarmProps struct {
	// Topic is the ARN of an SNS topic that is told when an alarm goes off,
	// and when it is over. Default: nobody is told; the dashboard shows them.
	Topic string
	// TicketTopic is one that is told, in place of Topic, of what can wait until the
	// morning. Default: Topic is told of all.
	TicketTopic string
	// MaxAge is how old the oldest message of a queue may get that nobody has taken,
	// and how late the waiting room may be. Default: 15 minutes.
	MaxAge time.Duration
	// MaxUndelivered is how old a message may be that is tried and is neither
	// delivered nor dead. Where policies try for longer, it must be more. Default: 12
	// hours, or twice Deliver.MaxHeld where that is more.
	MaxUndelivered time.Duration
	// MaxAuditAge is the same as MaxAge for audit.fifo: how long entries may wait for
	// the ledger. Default: 10 minutes.
	MaxAuditAge time.Duration
	// MaxInFlight is how many messages of a queue may be received or hidden at
	// a time. SQS stops at 120,000. Default: 80,000.
	MaxInFlight int
	// MaxFailures is how many messages of a queue may die in five minutes. Default:
	// 0.
	MaxFailures int
}

func (p AlarmProps) withDefaults() AlarmProps {
	p.MaxAge = or(p.MaxAge, 15*time.Minute)
	p.MaxAuditAge = or(p.MaxAuditAge, 10*time.Minute)
	p.MaxInFlight = or(p.MaxInFlight, 80_000)
	return p
}

// newAlarms watches every queue, every function, the API, the channels, and what
// runs by the clock. Each has its paragraph in docs/operate.md.
func newAlarms(e *Efferent, props Props) []awscloudwatch.Alarm {
	w := newWatching(e.Construct, props.Alarms)
	for _, s := range e.senders() {
		w.sending(s, props)
	}
	w.functions("Deliver", e.Deliver, page, "webhooks are received and not handled")
	if e.Notify != nil {
		w.functions("Notify", e.Notify, page, "notifications are received and not handled")
		w.above("Misconfigured", page, "a channel refuses us, and messages go to the next one or die. Mend its secret, or the account at the "+
			"provider.",
			ours(e.Notify, metric.Misconfigured, total()), 0)
	}
	w.room(e, props.Alarms)
	w.ledger(e, props)
	if e.API != nil {
		w.functions("Replay", e.Replay, ticket, "the API can't answer")
		w.above("Api5xx", ticket, "the API answers by server errors. Deliveries go on.", e.apiMetric("5xx", total()), 0)
	}
	w.functions("Fanout", e.Fanout, page, "events are received and go to nobody")
	if e.Register != nil {
		w.functions("Endpoints", e.Register, ticket, "the API of endpoints can't answer")
	}
	if e.Know != nil {
		w.functions("Directory", e.Know, ticket, "the API of those who are notified can't answer")
	}
	if e.Reports != nil {
		w.reports(e, props)
	}
	if props.Outcomes.told() {
		w.untold(e)
	}
	if e.Rotate != nil {
		w.functions("Rotate", e.Rotate, ticket, "the keys of a secret were not replaced; Secrets Manager tries again, and then at the next date")
	}
	return w.alarms
}

// sender is a queue, its dead-letter queue, and the function that sends what is there.
type sender struct {
	title, of      string
	main, failures awssqs.IQueue
	f              awslambda.IFunction
}

func (e *Efferent) senders() []sender {
	all := []sender{{"Webhook", "webhooks", e.Webhooks, e.WebhookFailures, e.Deliver}}
	if e.Notify != nil {
		all = append(all, sender{"Notification", "notifications", e.Notifications, e.NotificationFailures, e.Notify})
	}
	return append(all, sender{"Event", "events", e.Events, e.EventFailures, e.Fanout})
}

// sending watches what is sent from a queue. SQS's age leaves out what was received
// three times, and counts a letter's from when it came into the dead-letter queue
// ("Available CloudWatch metrics for Amazon SQS"): so what waits for its first tries is
// watched by that, what has been tried by our own, which nobody writes while nothing
// is handled, and letters by their death, since one may lie there on purpose.
func (w *watching) sending(s sender, props Props) {
	p := props.Alarms
	w.above(s.title+"Age", page, s.of+" wait, and nobody takes them. Is the function throttled, failing, or short of concurrency?",
		s.main.MetricApproximateAgeOfOldestMessage(worst()), p.MaxAge.Seconds())
	w.above(s.title+"InFlight", page, "so many "+s.of+" are in flight that SQS may soon hand out no more. Which endpoint fails?",
		s.main.MetricApproximateNumberOfMessagesNotVisible(worst()), float64(p.MaxInFlight))
	w.repeated(s.title+"Trouble", page, s.of+" are held by a trouble of our own: a secret, a table, the audit queue. The function's log says "+
		"which.",
		ours(s.f, metric.Held, total(), metric.Reason, metric.Trouble), again)
	w.above(s.title+"Undelivered", ticket, s.of+" are tried that are older than any should be. Which endpoint, and for which reason?",
		ours(s.f, metric.OldestUndelivered, worstOf(touched)), oldest(props).Seconds())
	w.above(s.title+"Failures", ticket, s.of+" have died, and are parked in the dead-letter queue. Look at them, mend the cause, and "+
		"send them again.",
		ours(s.f, metric.DeadLetters, total()), float64(p.MaxFailures))
	w.above(s.title+"Expiring", ticket, "dead letters will soon be deleted by SQS. Send them again, keep a copy, or discard them.",
		s.failures.MetricApproximateAgeOfOldestMessage(worst()), expiring(props.Queues).Seconds())
	w.above(s.title+"Outcomes", ticket, "outcomes of attempts could not be written to audit.fifo in time and are missing in the ledger. "+
		"The function's log names them.",
		ours(s.f, metric.OutcomesMissing, total()), 0)
}

func oldest(props Props) time.Duration {
	return or(props.Alarms.MaxUndelivered, max(12*time.Hour, 2*props.Deliver.MaxHeld))
}

// touched is how often at least a message is tried that is held by a circuit or by
// trouble of our own: so its age is said in each such period, and the alarm does not
// flicker.
const touched = 15 * time.Minute

// expiring is the age of a letter that leaves three days or so to act. SQS deletes it
// by the time it was sent, and counts its age from when it died ("Setting-up
// dead-letter queue retention"): it may have been in its queue for a day before.
func expiring(q QueueProps) time.Duration { return q.FailuresRetention * 10 / 14 }

// functions watches one that is a function. Lambda tries again what a queue or the
// clock has it do, so one failure is nobody's business at night.
func (w *watching) functions(name string, f awslambda.IFunction, s severity, so string) {
	times := 1
	if s == page {
		times = again
	}
	w.repeated(name+"Errors", s, "an invocation failed or ran out of time, so "+so+".", f.MetricErrors(total()), times)
	w.repeated(name+"Throttles", s, "Lambda turned invocations away for want of concurrency, so "+so+" in time.",
		f.MetricThrottles(total()), times)
}

// room watches the waiting room, which has no queue's metrics.
func (w *watching) room(e *Efferent, p AlarmProps) {
	w.functions("Release", e.Release, page, "what is due in the waiting room is not sent")
	w.alarm("NotReleased", page, "nobody looks at what waits in the waiting room. Is its rule switched off, or the function throttled?",
		silent(e.Release, releaseEvery))
	w.above("RoomAge", page, "what is due in the waiting room is sent late. Does release fail, or has it too much to do?",
		ours(e.Release, metric.OldestOverdue, worst()), p.MaxAge.Seconds())
}

// ledger watches the way into the ledger, and its signing.
func (w *watching) ledger(e *Efferent, props Props) {
	p := props.Alarms
	w.above("AuditAge", page, "entries wait for the ledger for too long. Does audit fail, or is it throttled?",
		e.Audit.MetricApproximateAgeOfOldestMessage(worst()), p.MaxAuditAge.Seconds())
	w.above("AuditFailures", page, "entries could not be appended, and are parked. Mend the cause and redrive the queue; until then the "+
		"ledger lacks them.",
		e.AuditFailures.MetricApproximateNumberOfMessagesVisible(worst()), 0)
	w.functions("Audit", e.AppendLedger, page, "entries are not appended to the ledger")
	w.functions("Checkpoint", e.SignLedger, ticket, "the ledger was not verified and signed. Its log says whether it was changed")
	w.alarm("LedgerUnsigned", ticket, "nobody tries to sign the ledger. Is its rule switched off, or the function throttled?",
		silent(e.SignLedger, props.Checkpoint.Every))
}

// reports watches what providers report. Nothing is sent later for it but what would go
// to a next channel.
func (w *watching) reports(e *Efferent, props Props) {
	w.above("ReportAge", ticket, "reports of providers wait, and nobody takes them. Is report throttled, or failing?",
		e.Reports.MetricApproximateAgeOfOldestMessage(worst()), props.Alarms.MaxAge.Seconds())
	w.above("ReportFailures", ticket, "reports could not be taken in, and are parked. Mend the cause and redrive the queue.",
		e.ReportFailures.MetricApproximateNumberOfMessagesVisible(worst()), 0)
	w.functions("Report", e.Report, ticket, "reports are received and not handled")
	if e.Callback != nil {
		w.functions("Callback", e.Callback, ticket, "Twilio is told to try again, and what it reports is lost in the end")
	}
}

// untold watches what tells outcomes: a producer that waits for one does not see that it
// will not come.
func (w *watching) untold(e *Efferent) {
	const so = " were told to nobody: the queue or the bus of outcomes did not take them in time. The function's log names them."
	for _, of := range []struct {
		title, outcomes string
		f               awslambda.IFunction
	}{
		{"Webhook", "ends of webhooks", e.Deliver}, {"Notification", "ends of notifications", e.Notify}, {"Event", "ends of events", e.Fanout},
		// What a report was to be told of comes back, and ends in report-failures.
		{"Replay", "changes by the API of dead letters", e.Replay},
		{"Endpoints", "changes of endpoints", e.Register},
	} {
		if of.f != nil {
			w.above(of.title+"Untold", ticket, of.outcomes+so, ours(of.f, metric.OutcomesUntold, total()), 0)
		}
	}
}

// apiMetric is one of the API's ("Monitor CloudWatch metrics for HTTP APIs").
func (e *Efferent) apiMetric(name string, by *awscloudwatch.MetricOptions) awscloudwatch.Metric {
	return awscloudwatch.NewMetric(&awscloudwatch.MetricProps{
		Namespace: jsii.String("AWS/ApiGateway"), MetricName: &name,
		DimensionsMap: &map[string]*string{"ApiId": e.API.ApiId()}, Statistic: by.Statistic, Period: by.Period,
	})
}
