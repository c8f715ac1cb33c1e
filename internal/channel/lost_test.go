package channel_test

import (
	"errors"
	"net/url"
	"testing"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
)

func TestLostNeverTellsTheError(t *testing.T) {
	t.Parallel()
	err := &url.Error{Op: "Post", URL: "https://hooks.slack.com/services/" + channeltest.SecretPath, Err: errors.New(channeltest.Body)}
	channeltest.Check(t, channel.Lost("Slack", false, err), channel.Outcome{Class: channel.Transient, Reason: "the connection failed"})
	channeltest.Check(t, channel.Lost("Slack", true, err), channel.Outcome{Class: channel.Unknown, Reason: "the connection failed after"})
}
