// Package life runs the lives of messages from end to end on a clock that only
// moves when everything rests: the real SQS engine, the real handlers and the
// real adapters between them, in one process. Around them it plays what is not
// ours: the endpoint, Lambda's poller, the console's user.
//
//	world_test.go      all of it; functions_test.go wires what is ours
//	calls_test.go      every call that a life makes, numbered, and how it may go wrong
//	queues_test.go     … those of SQS, stores_test.go, room_test.go and circuits_test.go of
//	                   the stores, outside_test.go of the endpoint, the ledger and the secrets
//	driver_test.go     Lambda, the minute's release and the clock, until all is at rest
//	acts_test.go       what people do: replay, redrive, drop, list
//	lives_test.go      the table of lives, guarded_test.go those in which a circuit opens
//	faults_test.go     each of them again, for each of its calls and each way to go wrong
//	checks_test.go     what must be true in the end, whatever went wrong
//	schedule_test.go   lives of days: each attempt at its time
//	crowds_test.go     lives of many: an hour away, equal ones, too many in flight
//	recovery_test.go   an endpoint that thousands wait for comes back
//	random_test.go     histories by chance, with up to two faults
//
// What a fault may cost is in faults_test.go too: one POST more where what was sent
// was not recorded, a twin where what was sent anew was not marked as sent. Nothing
// else. To search by chance for longer:
//
//	go test ./e2e/life -run Random -rapid.checks=10000
//
// It is a test only: nothing imports it.
package life
