// Package assembly puts the handlers together, the same for efferent dev and efferent
// worker: their settings, stores, queues and senders, and what is done by the clock. The
// two differ in what they hand in: an SQS and SQLite of their own, or AWS's.
package assembly
