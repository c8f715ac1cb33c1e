// Package conformance checks that an SQS endpoint does what AWS documents, with
// AWS's own SDK over HTTP.
//
// Each check names the page of AWS's documentation that it rests on. Without
// more, the checks run against this project's endpoint, on a clock that they
// move themselves. With AWS_ENDPOINT_URL set they run against that endpoint in
// real time: those that need no more than a few seconds, which they spend in
// long polls. With LOCALSTACK_PYTHON set (make conformance-localstack) that is a
// LocalStack of their own.
//
// "-known-failures FILE" lists the checks that an endpoint is known to fail, a
// name and a reason a line. A listed check that passes is an error too.
package conformance
