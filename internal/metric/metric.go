// Package metric names what Efferent counts and measures: each metric, its unit, and
// what it is told apart by. Who writes them (CloudWatch's embedded metric format,
// Prometheus) is in telemetry.
//
// A dimension's values are few and known: never an address or an id, and a tenant only
// of those that are asked for (Tenants). Each combination of them that occurs is a custom metric to CloudWatch, $0.30 a month for
// the hours that it occurs in ("Amazon CloudWatch pricing").
package metric

// Namespace is CloudWatch's of every metric.
const Namespace = "Efferent"

// Function is the dimension that every metric has: the Lambda function's name, or in
// dev and worker what its handler is called (deliver, notify, …). There is a metric of
// the function as a whole, and one for each set of further dimensions.
const Function = "function"

// The dimensions.
const (
	Verdict = "verdict"
	Reason  = "reason"
	Channel = "channel"
	Action  = "action"
	Phase   = "phase"
	Outcome = "outcome"
	Tenant  = "tenant"
)

// What is counted: the unit is Count, and Sum the statistic that means something.
const (
	// Attempts counts those that came to a verdict, those too that ended without
	// being made: by verdict, and for notifications by channel and verdict.
	Attempts = "Attempts"
	// Failures counts the attempts that did not deliver, by reason.
	Failures = "Failures"
	// Held counts how often a message was made to wait without its attempt being made,
	// by reason. One message may be held often.
	Held = "Held"
	// DeadLetters counts the messages that were left to reach the dead-letter queue.
	DeadLetters = "DeadLetters"
	// RoomEntered counts the messages that were moved into the waiting room, RoomLeft
	// those that were sent back to their queues.
	RoomEntered = "RoomEntered"
	RoomLeft    = "RoomLeft"
	// LedgerEntries counts what was appended to the ledger.
	LedgerEntries = "LedgerEntries"
	// CircuitChanges counts the circuits that opened and closed, by phase.
	CircuitChanges = "CircuitChanges"
	// EndpointsFailing counts the registered endpoints that were disabled because they
	// failed for too long or said so, and the warnings before, by action: the kind of the
	// outcome.
	EndpointsFailing = "EndpointsFailing"
	// Misconfigured counts the hand-overs of notifications that failed by
	// configuration, by channel: an operator must act.
	Misconfigured = "Misconfigured"
	// Notifications counts those that came to their end, by tenant, channel and outcome,
	// where that is asked for: one for the channel that it went by or ended on, and one
	// for each that was left for another.
	Notifications = "Notifications"
	// OutcomesMissing counts the outcomes of attempts that the ledger will not hold, by
	// action.
	OutcomesMissing = "OutcomesMissing"
	// OutcomesUntold counts the outcomes that producers will not be told of, by action:
	// the kind of the outcome.
	OutcomesUntold = "OutcomesUntold"
)

// What is measured: Average, Maximum and percentiles mean something.
const (
	// ExchangeLatency is how long an exchange with an endpoint, or a hand-over to a
	// provider, took, in Milliseconds; for notifications by channel too. Those that
	// were never made are not in it.
	ExchangeLatency = "ExchangeLatency"
	// TimeToDelivery is how long after its producer sent it a message was delivered, in
	// Seconds; of one that was sent anew since, by a replay or out of the waiting room,
	// how long after it was first received.
	TimeToDelivery = "TimeToDelivery"
	// OldestUndelivered is how long ago the oldest message was first received that a
	// batch did not deliver, or a run of release let go, in Seconds. SQS's own leaves
	// out what was received three times, and what is in the waiting room.
	OldestUndelivered = "OldestUndelivered"
	// OldestOverdue is how long ago that was due which a run of release found still in
	// the waiting room, in Seconds; of less than five minutes nothing is said.
	OldestOverdue = "OldestOverdue"
)

// Unit is one of CloudWatch's ("MetricDatum").
type Unit string

// The units.
const (
	Count        Unit = "Count"
	Seconds      Unit = "Seconds"
	Milliseconds Unit = "Milliseconds"
)

// Definition is one metric.
type Definition struct {
	Name string
	Unit Unit
	// By are the sets of dimensions that it is told apart by beside Function. A set of
	// which an event has no value is left out.
	By [][]string
	// Always says that it is written although EFFERENT_METRICS is off: an alarm is on
	// it.
	Always bool
	// Help says in one line what it is.
	Help string
}

// Definitions are all metrics.
func Definitions() []Definition {
	return []Definition{
		{Name: Attempts, Unit: Count, By: [][]string{{Verdict}, {Channel, Verdict}}, Help: "Attempts that came to a verdict."},
		{Name: Failures, Unit: Count, By: [][]string{{Reason}}, Help: "Attempts that did not deliver."},
		{Name: Held, Unit: Count, By: [][]string{{Reason}}, Always: true, Help: "Messages made to wait without their attempt being made."},
		{Name: DeadLetters, Unit: Count, Always: true, Help: "Messages left to reach the dead-letter queue."},
		{Name: RoomEntered, Unit: Count, Help: "Messages moved into the waiting room."},
		{Name: RoomLeft, Unit: Count, Help: "Messages sent out of the waiting room."},
		{Name: LedgerEntries, Unit: Count, Help: "Entries appended to the ledger."},
		{Name: CircuitChanges, Unit: Count, By: [][]string{{Phase}}, Always: true, Help: "Circuits that opened and closed."},
		{Name: EndpointsFailing, Unit: Count, By: [][]string{{Action}}, Always: true,
			Help: "Endpoints disabled for failing, and warnings of it."},
		{Name: Misconfigured, Unit: Count, By: [][]string{{Channel}}, Always: true, Help: "Hand-overs that failed by configuration."},
		{Name: Notifications, Unit: Count, By: [][]string{{Tenant, Channel, Outcome}}, Help: "Notifications by tenant and channel."},
		{Name: OutcomesMissing, Unit: Count, By: [][]string{{Action}}, Always: true, Help: "Outcomes that the ledger will not hold."},
		{Name: OutcomesUntold, Unit: Count, By: [][]string{{Action}}, Always: true, Help: "Outcomes that producers will not be told of."},
		{Name: ExchangeLatency, Unit: Milliseconds, By: [][]string{{Channel}}, Help: "How long exchanges and hand-overs took."},
		{Name: TimeToDelivery, Unit: Seconds, Help: "From the producer's send to the delivery."},
		{Name: OldestUndelivered, Unit: Seconds, Always: true, Help: "Age of the oldest message that is not delivered."},
		{Name: OldestOverdue, Unit: Seconds, Always: true, Help: "How late the waiting room is."},
	}
}
