package discord

import (
	"math"
	"net/http"
	"regexp"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/channel"
)

// said is a message, or an error ("Error Messages"; "Rate Limits").
type said struct {
	ID         string  `json:"id"`
	Code       int     `json:"code"`
	RetryAfter float64 `json:"retry_after"` // seconds
}

// snowflake is what an id looks like.
var snowflake = regexp.MustCompile(`^[0-9]{1,20}$`)

// errorClasses is the class of each error that webhooks meet ("Opcodes and Status
// Codes", JSON error codes). One that is not here is classed by its status.
var errorClasses = map[int]channel.Class{
	10003:  channel.Configuration, // unknown channel
	10004:  channel.Configuration, // unknown server
	10015:  channel.Configuration, // unknown webhook: it was deleted
	10016:  channel.Configuration, // unknown webhook service
	40001:  channel.Configuration, // unauthorized
	40002:  channel.Configuration, // the account must be verified
	50001:  channel.Configuration, // missing access
	50013:  channel.Configuration, // missing permission
	50027:  channel.Configuration, // the webhook's token is wrong
	220001: channel.Configuration, // a forum's webhook: the URL takes ?thread_id=
	220002: channel.Configuration, // both thread_id and thread_name

	10008:  channel.Permanent, // the message to change is gone
	20009:  channel.Permanent, // explicit content
	40005:  channel.Permanent, // too large
	50005:  channel.Permanent, // the message to change is somebody else's
	50006:  channel.Permanent, // empty
	50035:  channel.Permanent, // an invalid field, such as an embed's
	50083:  channel.Permanent, // the thread is archived
	50109:  channel.Permanent, // no JSON
	200000: channel.Permanent, // blocked by AutoMod
	200001: channel.Permanent, // the title is blocked by AutoMod
	240000: channel.Permanent, // a link that Discord takes for harmful

	20016: channel.Limited, // slow mode
	20028: channel.Limited, // the channel's rate
	20029: channel.Limited, // the server's rate

	130000: channel.Transient, // overloaded
}

func outcomeOf(status int, body []byte, after time.Duration) channel.Outcome {
	var a said
	if json.Unmarshal(body, &a) != nil {
		a = said{}
	}
	reason := "Discord: it answered " + strconv.Itoa(status)
	if a.Code != 0 {
		reason += ", error " + strconv.Itoa(a.Code)
	}
	class, known := errorClasses[a.Code]
	switch {
	case status == http.StatusOK && snowflake.MatchString(a.ID):
		return channel.Taken(a.ID, status)
	case status >= 200 && status < 300:
		return channel.Failed(channel.Unknown, status, reason+" without the message's id: it may have been taken")
	case known:
	case status == http.StatusTooManyRequests:
		class = channel.Limited
	case status >= 500, status == http.StatusRequestTimeout:
		class = channel.Transient
	case status < 400:
		class, reason = channel.Configuration, reason+", a redirect: check the URL in the secret "+channel.DiscordSecret
	case status == http.StatusUnauthorized, status == http.StatusForbidden, status == http.StatusNotFound,
		status == http.StatusMethodNotAllowed:
		class, reason = channel.Configuration, reason+": check the secret "+channel.DiscordSecret
	default:
		class = channel.Permanent
	}
	o := channel.Failed(class, status, reason)
	if class == channel.Transient || class == channel.Limited {
		o.RetryAfter = max(after, asked(a.RetryAfter))
	}
	return o
}

// asked is how long the body asks to wait, a day at most.
func asked(seconds float64) time.Duration {
	const most = 24 * 3600
	if !(seconds > 0) {
		return 0
	}
	return time.Duration(math.Ceil(min(seconds, most)*1000)) * time.Millisecond
}
