package teams

import (
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/channel"
)

// said is an error of a workflow's trigger (Azure Logic Apps, "Workflow Triggers",
// error response).
type said struct {
	Error struct {
		Code string `json:"code"`
	} `json:"error"`
}

// errorCode is what a code looks like; nothing else of an answer is ever shown.
var errorCode = regexp.MustCompile(`^[A-Za-z]{2,64}$`)

// errorClasses is the class of each error by which a workflow does not take a
// request. One that is not here is classed by its status.
var errorClasses = map[string]channel.Class{
	// The workflow, its signature or its owner is gone, or nobody may call it.
	"DirectApiAuthorizationRequired":      channel.Configuration,
	"DirectApiInvalidAuthorizationScheme": channel.Configuration,
	"InvalidAuthenticationToken":          channel.Configuration,
	"AuthorizationFailed":                 channel.Configuration,
	"WorkflowNotFound":                    channel.Configuration,
	"WorkflowDisabled":                    channel.Configuration,
	"WorkflowTriggerNotFound":             channel.Configuration,
	"WorkflowTriggerIsNotEnabled":         channel.Configuration,
	"WorkflowTriggerVersionNotFound":      channel.Configuration,
	"EnvironmentNotFound":                 channel.Configuration,
	"MissingApiVersionParameter":          channel.Configuration,
	"InvalidApiVersionParameter":          channel.Configuration,
	"TriggerRequestMethodNotValid":        channel.Configuration,

	// The message is wrong.
	"TriggerInputSchemaMismatch": channel.Permanent,
	"InvalidRequestContent":      channel.Permanent,
	"InvalidRequestBody":         channel.Permanent,
	"RequestEntityTooLarge":      channel.Permanent,

	"TooManyRequests":          channel.Limited,
	"WorkflowThrottled":        channel.Limited,
	"WorkflowTriggerThrottled": channel.Limited,

	"GatewayTimeout":     channel.Transient,
	"ServiceUnavailable": channel.Transient,
}

// outcomeOf reads an answer. 202 is the workflow's own: it has taken the request.
func outcomeOf(status int, body []byte, after time.Duration) channel.Outcome {
	var a said
	if json.Unmarshal(body, &a) != nil {
		a = said{}
	}
	code := errorCode.FindString(a.Error.Code)
	reason := "Teams: it answered " + strconv.Itoa(status)
	if code != "" {
		reason += ": " + code
	}
	class, known := errorClasses[code]
	switch {
	case status >= 200 && status < 300 && code == "":
		return channel.Taken("", status)
	case known && status >= 300:
	case status == http.StatusTooManyRequests:
		class = channel.Limited
	case status >= 500, status == http.StatusRequestTimeout:
		class = channel.Transient
	case status >= 300 && status < 400:
		class, reason = channel.Configuration, reason+", a redirect: check the URL in the secret "+channel.TeamsSecret
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound, status == http.StatusGone,
		status == http.StatusMethodNotAllowed:
		class, reason = channel.Configuration, reason+": check the workflow, and its URL in the secret "+channel.TeamsSecret
	case status < 300:
		class, reason = channel.Unknown, reason+": the message may have been taken"
	default:
		class = channel.Permanent
	}
	o := channel.Failed(class, status, reason)
	if class == channel.Transient || class == channel.Limited {
		o.RetryAfter = after
	}
	return o
}
