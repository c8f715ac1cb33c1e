package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/metric"
)

// results are the lines of the log that tell of a notification's end, without what
// every line has.
func (w *world) results() (all []map[string]any) {
	for text := range bytes.Lines(w.logs.Bytes()) {
		var line map[string]any
		if err := json.Unmarshal(text, &line); err != nil {
			w.t.Fatal(err)
		}
		if line["msg"] == "sent" || line["msg"] == "not sent" {
			delete(line, "time")
			delete(line, "level")
			all = append(all, line)
		}
	}
	return all
}

// TestTheResult: one line says who got it by which way and why, or why nobody did, and
// names nobody who was not reached.
func TestTheResult(t *testing.T) {
	t.Parallel()
	gone := map[string]any{"channel": "email", "class": "permanent", "status": 550., "reason": "no such mailbox"}
	wrong := map[string]any{"channel": "slack", "class": "configuration", "reason": "not asked"}
	line := func(more map[string]any) map[string]any {
		all := map[string]any{"notification_id": "n_1", "message_id": "m-a", "tenant": "acme", "took_s": 0., "held_s": 0., "paced_s": 0.,
			"reason": "", "to": "", "topic": "invoice", "template": ""}
		for name, value := range more {
			all[name] = value
		}
		return all
	}
	for name, c := range map[string]struct {
		answers map[channel.Name][]channel.Outcome
		want    map[string]any
	}{
		"at once": {map[channel.Name][]channel.Outcome{}, line(map[string]any{"msg": "sent", "channel": "email", "failed_channels": nil,
			"failed_as": nil, "recipient": "ann@acme.test", "provider_id": "email1", "attempts": 1.})},
		"after two channels": {map[channel.Name][]channel.Outcome{"email": {channel.Failed(channel.Permanent, 550, "no such mailbox")},
			"slack": {channel.Failed(channel.Configuration, 0, "not asked")}},
			line(map[string]any{"msg": "sent", "channel": "sms", "failed_channels": []any{"email", "slack"}, "failed_as": []any{gone, wrong},
				"recipient": "+46701234567", "provider_id": "sms1", "attempts": 3.})},
		"nowhere": {map[channel.Name][]channel.Outcome{"email": {channel.Failed(channel.Permanent, 550, "no such mailbox")},
			"slack": {channel.Failed(channel.Configuration, 0, "not asked")}, "sms": {channel.Failed(channel.Unknown, 500, "lost")}},
			line(map[string]any{"msg": "not sent", "channel": "sms", "failed_channels": []any{"email", "slack", "sms"},
				"failed_as": []any{gone, wrong, map[string]any{"channel": "sms", "class": "unknown", "status": 500.,
					"reason": "lost; an SMS whose outcome is unknown is not sent again, nor anywhere else"}},
				"class": "unknown", "status": 500., "verdict": "exhausted", "attempts": 3.,
				"reason": "lost; an SMS whose outcome is unknown is not sent again, nor anywhere else"})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.answers = c.answers
			w.run(w.message("a", text("n_1", "email", `,"fallback":["slack","sms"],"tenant":"acme","topic":"invoice"`)))
			if diff := cmp.Diff([]map[string]any{c.want}, w.results()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if end := w.logs.String(); c.want["msg"] == "not sent" && (strings.Contains(end, "ann@") || strings.Contains(end, "+4670")) {
				t.Errorf("somebody is named who got nothing: %s", end)
			}
		})
	}
}

// TestTheResultHasWaits: what was held and paced before is told of too, and no channel
// that was left long ago is forgotten.
func TestTheResultHasWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.answers["email"] = []channel.Outcome{{Class: channel.Permanent, Status: 550, Reason: "no such mailbox"}}
	w.answers["slack"] = []channel.Outcome{{Class: channel.Limited, Status: 429, Reason: "too many", RetryAfter: time.Minute},
		{ProviderID: "C1/1"}}
	w.run(w.message("a", text("n_1", "email", `,"fallback":["slack"]`)))
	got := w.results()
	if len(got) != 1 || got[0]["paced_s"] != 60. || got[0]["held_s"] != 60. || got[0]["attempts"] != 2. || got[0]["took_s"] != 60. {
		t.Fatalf("%v", got)
	}
	if failed := fmt.Sprint(got[0]["failed_as"]); !strings.Contains(failed, "permanent") || !strings.Contains(failed, "no such mailbox") {
		t.Error(failed)
	}
}

// TestTenantsAreCounted: each channel that was asked, by how it ended there, where that
// is wanted of the tenant.
func TestTenantsAreCounted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tenants *metric.Tenants
		want    []string
	}{
		{nil, nil},
		{&metric.Tenants{}, []string{"acme email left", "acme slack sent"}},
		{&metric.Tenants{Only: []string{"globex"}}, []string{"other email left", "other slack sent"}},
	} {
		w := newWorld(t)
		w.tenants = c.tenants
		w.answers["email"] = []channel.Outcome{{Class: channel.Permanent, Reason: "no such mailbox"}}
		w.run(w.message("a", text("n_1", "email", `,"fallback":["slack"],"tenant":"acme"`)))
		var got []string
		for _, e := range w.events {
			if e.Name == metric.Notifications {
				got = append(got, e.Tenant+" "+e.Channel+" "+e.Outcome)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.tenants, diff)
		}
	}
}
