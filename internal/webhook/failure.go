package webhook

import (
	"errors"
	"net/http"
	"slices"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/metric"
)

// Failure is why the exchange did not deliver, by one of metric's reasons; empty where
// it did.
func (x Exchange) Failure() string {
	switch {
	case x.Status == 0:
		return failureOf(x.Err)
	case x.Status/100 == 2:
		return ""
	case x.Gone || x.Abort:
		return metric.Gone
	case x.Status == http.StatusTooManyRequests:
		return metric.Throttled
	}
	hundreds := []string{metric.Redirect, metric.Client, metric.Server}
	if n := x.Status/100 - 3; n >= 0 && n < len(hundreds) {
		return hundreds[n]
	}
	return metric.Other
}

// errTimedOut says that no answer came in time.
var errTimedOut = errors.New("no answer in time")

type ownFailure struct {
	is      error
	failure string
}

// ownFailures are those that are ours to tell.
var ownFailures = []ownFailure{
	{ErrBlockedAddress, metric.Blocked}, {ErrPlainHTTP, metric.Blocked}, {message.ErrMalformed, metric.Malformed},
	{ErrSecretUnusable, metric.Secret}, {ErrSecretNotFound, metric.Secret}, {errTimedOut, metric.Timeout},
}

// failureOf is that of an exchange without an answer.
func failureOf(err error) string {
	if err == nil {
		return metric.Other
	}
	if i := slices.IndexFunc(ownFailures, func(own ownFailure) bool { return errors.Is(err, own.is) }); i >= 0 {
		return ownFailures[i].failure
	}
	var told *refusal
	if errors.As(err, &told) {
		err = told.kind
	}
	failure, _ := describe(err)
	return failure
}
