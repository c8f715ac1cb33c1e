// Package clients tries other people's clients of SQS: each in its own language,
// as its users have it, against efferent dev. Its folders hold what each does:
//
//	python   Celery (kombu), dramatiq-sqs
//	node     sqs-consumer, sqs-producer
//	gocloud  gocloud.dev/pubsub/awssnssqs
//	java     the Java SDK's JMS library and extended client
//
// Nothing may be lost, and nothing may come twice but where a test makes it.
package clients
