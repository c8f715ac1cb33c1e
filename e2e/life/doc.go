// Package life runs the lives of messages from end to end on a clock that only
// moves when everything rests: the real SQS engine, the real handlers and the
// real adapters between them, in one process. Around them it plays what is not
// ours: the endpoint, Lambda's poller, the console's user.
//
//	world_test.go     all of it, wired
//	calls_test.go     every call that a life makes, numbered, and how it may go wrong
//	queues_test.go    … of SQS, stores_test.go … of the stores, room_test.go and circuits_test.go
//	                  too, outside_test.go … of the rest
//	driver_test.go    Lambda, the minute's release and the clock, until all is at rest
//	acts_test.go      what people do: replay, redrive, list
//	lives_test.go     the table of lives
//	faults_test.go    each of them again, for each of its calls and each way to go wrong
//	checks_test.go    what must be true in the end, whatever went wrong
//	random_test.go    histories by chance, with up to two faults:
//	                  go test ./e2e/life -run Random -rapid.checks=10000
//
// It is a test only: nothing imports it.
package life
