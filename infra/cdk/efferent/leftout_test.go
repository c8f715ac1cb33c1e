package efferent_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/settings"
)

// TestWhatIsLeftOutLeavesNothing: no resource, no grant, no alarm, no row of the
// dashboard, no output; and what is left says so to who would look for it.
func TestWhatIsLeftOutLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		props efferent.Props
		gone  []string
		queue string // what the others are told of notifications
	}{
		"notifications": {efferent.Props{WithoutNotifications: true},
			[]string{"Notification", "Notify", "notify", "smtp", "twilio", "notification-failures", "Directory", "directory"}, settings.None},
		"the API": {efferent.Props{WithoutAPI: true},
			[]string{"Replay", "Api", "DirectoryFunction", "MoveTask", "by hand", "replay"}, "NotificationQueue"},
		"both": {efferent.Props{WithoutNotifications: true, WithoutAPI: true}, []string{"Notify", "Replay", "Api"}, settings.None},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := synth(t, c.props)
			all, err := json.Marshal(made.json)
			if err != nil {
				t.Fatal(err)
			}
			for _, gone := range c.gone {
				if at := strings.Index(string(all), gone); at >= 0 {
					t.Errorf("there is %s left: %s", gone, all[max(0, at-100):min(len(all), at+100)])
				}
			}
			functions := made.of("AWS::Lambda::Function")
			for _, f := range []string{"Release", "Replay"} {
				env, there := functions[f+"Function"]["Environment"].(object)
				if there && text(env["Variables"].(object)[settings.NotificationsQueueURL]) != c.queue {
					t.Errorf("%s is told %v", f, env)
				}
			}
			call(t, func() {
				made.assert.HasResourceProperties(jsii.String("AWS::Lambda::EventSourceMapping"), object{"BatchSize": 10})
			})
			for _, kept := range []string{"DeliverFunction", "ReleaseFunction", "AuditFunction", "CheckpointFunction"} {
				if _, there := functions[kept]; !there {
					t.Errorf("there is no %s any more", kept)
				}
			}
		})
	}
}

// TestWhatIsLeftOutIsNotChecked: its props may be what they want.
func TestWhatIsLeftOutIsNotChecked(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{
		WithoutNotifications: true, Notify: efferent.NotifyProps{SES: true}, WithoutAPI: true, Replay: efferent.ReplayProps{Rate: -1},
	})
	if names := made.of("AWS::Lambda::Function"); len(names) != 5 || slices.Contains(texts(names), "ReplayFunction") {
		t.Errorf("there are %v", names)
	}
}
