package channel_test

import (
	"errors"
	"net"
	"net/url"
	"syscall"
	"testing"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/channeltest"
)

// TestLostForLackOfOurOwn: a provider that was never asked is not to blame.
func TestLostForLackOfOurOwn(t *testing.T) {
	t.Parallel()
	lack, refused := &net.OpError{Op: "dial", Err: syscall.EMFILE}, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	for _, c := range []struct {
		connected bool
		err       error
		want      channel.Outcome
	}{
		{false, lack, channel.Outcome{Class: channel.Transient, Ours: true, Reason: "no file descriptor, port or buffer is left here"}},
		{true, lack, channel.Outcome{Class: channel.Unknown, Reason: "is left here after the request was handed over"}},
		{false, refused, channel.Outcome{Class: channel.Transient, Reason: "connection refused"}},
	} {
		channeltest.Check(t, channel.Lost("Slack", c.connected, 0, c.err), c.want)
	}
}

func TestLostNeverTellsTheError(t *testing.T) {
	t.Parallel()
	err := &url.Error{Op: "Post", URL: "https://hooks.slack.com/services/" + channeltest.SecretPath, Err: errors.New(channeltest.Body)}
	channeltest.Check(t, channel.Lost("Slack", false, 0, err), channel.Outcome{Class: channel.Transient, Reason: "the connection failed"})
	channeltest.Check(t, channel.Lost("Slack", true, 0, err), channel.Outcome{Class: channel.Unknown, Reason: "the connection failed after"})
}
