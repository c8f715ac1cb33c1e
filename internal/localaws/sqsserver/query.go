package sqsserver

import (
	"errors"
	"maps"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/localaws/awsjson"
	"github.com/efferent/efferent/internal/localaws/awsquery"
)

// newQuery serves operations in the query protocol: at /, and at a queue's
// path, which then is its QueueUrl.
func newQuery(operations map[string]awsquery.Operation) http.Handler {
	operations = maps.Clone(operations)
	for _, name := range []string{"CreateQueue", "ListQueues"} {
		operations[name] = notOfAQueue(name, operations[name])
	}
	service := &awsquery.Service{
		Namespace:     "http://queue.amazonaws.com/doc/2012-11-05/",
		Operations:    operations,
		PathParameter: "QueueUrl",
		MaxRequest:    maxRequest,
		Fail:          queryFailure,
	}
	return sameOriginOnly(service)
}

// notOfAQueue is an action that is not valid at a queue's path (LocalStack's
// test_get_create_queue_fails and test_get_list_queues_fails, recorded on AWS).
func notOfAQueue(name string, run awsquery.Operation) awsquery.Operation {
	return func(r *http.Request, decode func(any) error) (any, error) {
		if strings.Contains(strings.Trim(r.URL.Path, "/"), "/") {
			return nil, client("InvalidAction", "The action %s is not valid for this endpoint.", name)
		}
		return run(r, decode)
	}
}

func queryFailure(err error) (int, smithy.APIError) {
	api := awsjson.APIError(err)
	if gone := new(types.QueueDoesNotExist); errors.As(err, &gone) {
		// Recorded by LocalStack's snapshot of test_non_existent_queue.
		api = &types.QueueDoesNotExist{Message: aws.String("The specified queue does not exist for this wsdl version."),
			ErrorCodeOverride: gone.ErrorCodeOverride}
	}
	return status(api), api
}

// sameOriginOnly refuses with 403 what a web page of another origin has its
// visitor's browser send. A form or an image of any page could else use an
// endpoint that asks for no credentials; a browser tells where a request comes
// from (Fetch Metadata Request Headers, Sec-Fetch-Site).
func sameOriginOnly(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection() // looks at what is no GET
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		site := r.Header.Get("Sec-Fetch-Site")
		if site != "" && site != "same-origin" && site != "none" || protection.Check(r) != nil {
			http.Error(w, "web pages of other origins may not use this endpoint", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
