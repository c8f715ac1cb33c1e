package sqsserver

import (
	"net/http"

	"github.com/aws/smithy-go"

	"github.com/efferent/efferent/internal/localaws/awsjson"
	"github.com/efferent/efferent/internal/localaws/awsquery"
)

// newQuery serves operations in the query protocol: at /, and at a queue's
// path, which then is its QueueUrl.
func newQuery(operations map[string]awsquery.Operation) http.Handler {
	service := &awsquery.Service{
		Namespace:     "http://queue.amazonaws.com/doc/2012-11-05/",
		Operations:    operations,
		PathParameter: "QueueUrl",
		MaxRequest:    maxRequest,
		Fail:          queryFailure,
	}
	return sameOriginOnly(service)
}

// queryStatus is the HTTP status of the errors whose status in the query
// protocol is not 400: as the model has it (awsQueryError), or "Common Errors"
// in the API reference.
var queryStatus = map[string]int{
	"InvalidAddress":    http.StatusNotFound,
	"InvalidSecurity":   http.StatusForbidden,
	"KMS.OptInRequired": http.StatusForbidden,
	"OverLimit":         http.StatusForbidden,
	"AWS.SimpleQueueService.PurgeQueueInProgress": http.StatusForbidden,
	"ReceiptHandleIsInvalid":                      http.StatusNotFound,
	"RequestThrottled":                            http.StatusForbidden,
	"ResourceNotFoundException":                   http.StatusNotFound,
	"MalformedQueryString":                        http.StatusNotFound,
}

func queryFailure(err error) (int, smithy.APIError) {
	api := awsjson.APIError(err)
	if status := queryStatus[api.ErrorCode()]; status != 0 {
		return status, api
	}
	return awsjson.Status(api), api
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
