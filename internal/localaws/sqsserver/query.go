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
	"github.com/efferent/efferent/internal/localaws/bodies"
)

// newQuery serves operations in the query protocol: at /, and at a queue's
// path, which then is its QueueUrl.
//
// What a GET may do changes nothing: the image of any web page makes a browser
// send one, and an older browser does not say where it comes from.
func newQuery(operations map[string]awsquery.Operation, room *bodies.Room) http.Handler {
	operations = maps.Clone(operations)
	for name, run := range operations {
		if !strings.HasPrefix(name, "Get") && !strings.HasPrefix(name, "List") {
			operations[name] = posted(name, run)
		}
	}
	for _, name := range []string{"CreateQueue", "ListQueues"} {
		operations[name] = notOfAQueue(name, operations[name])
	}
	return &awsquery.Service{
		Namespace:     "http://queue.amazonaws.com/doc/2012-11-05/",
		Operations:    operations,
		PathParameter: "QueueUrl",
		Bodies:        room,
		MaxRequest:    maxRequest,
		Fail:          queryFailure,
	}
}

// posted is an action that a GET can't do.
func posted(name string, run awsquery.Operation) awsquery.Operation {
	return func(r *http.Request, decode func(any) error) (any, error) {
		if r.Method == http.MethodGet {
			return nil, client("InvalidHttpRequest", "The action %s changes something: this endpoint takes it by POST only.", name)
		}
		return run(r, decode)
	}
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
