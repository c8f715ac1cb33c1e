package efferent_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/settings"
)

// TestRegisteringIsChosen: what is chosen of registered endpoints is what their
// function is told.
func TestRegisteringIsChosen(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{Register: efferent.RegisterProps{
		MaxEndpoints: 50, MaxTemplates: 60, TokenSecret: "efferent/tokens", TenantClaim: "org", Origin: "hooks.acme.test", MustVerify: true,
		OwnSecrets: true,
	}})
	env := made.of("AWS::Lambda::Function")["EndpointsFunction"]["Environment"].(object)["Variables"].(object)
	for name, want := range map[string]string{
		settings.MaxEndpoints: "50", settings.TokenSecret: "efferent/tokens", settings.TenantClaim: "org", settings.Origin: "hooks.acme.test",
		settings.MustVerify: "true", settings.OwnSecrets: "true",
	} {
		if got := text(env[name]); got != want {
			t.Errorf("%s is %q", name, got)
		}
	}
	know := made.of("AWS::Lambda::Function")["DirectoryFunction"]["Environment"].(object)["Variables"].(object)
	if got := text(know[settings.MaxTemplates]); got != "60" {
		t.Errorf("%s is %q", settings.MaxTemplates, got)
	}
	replay := made.of("AWS::Lambda::Function")["ReplayFunction"]["Environment"].(object)["Variables"].(object)
	if got := text(replay[settings.TokenSecret]); got != "efferent/tokens" {
		t.Errorf("replay takes no tokens: %q", got)
	}
	var open []string
	for _, r := range made.of("AWS::ApiGatewayV2::Route") {
		if r["AuthorizationType"] == "NONE" {
			open = append(open, text(r["RouteKey"]))
		}
	}
	slices.Sort(open)
	want := []string{"ANY /token/api/v1/tenants/{tenant}/endpoints/{endpoint_id}/replay"}
	for _, path := range directoryPaths {
		want = append(want, "ANY /token/api/v1/tenants/{tenant}/"+path)
	}
	want = append(want, "ANY /token/api/v1/{proxy+}")
	if d := cmp.Diff(want, open); d != "" {
		t.Errorf("open to everybody (-want +got):\n%s", d)
	}
}

// TestEventBusIsASource: of a bus only what its sources say is taken, and no other
// rule may send.
func TestEventBusIsASource(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{Fanout: efferent.FanoutProps{Bus: "shop", Sources: []string{"shop.orders", "shop.users"}}})
	rules := 0
	for id, r := range made.of("AWS::Events::Rule") {
		if text(r["EventBusName"]) != "shop" {
			continue
		}
		rules++
		if d := cmp.Diff(object{"source": []any{"shop.orders", "shop.users"}}, r["EventPattern"]); d != "" {
			t.Errorf("%s (-want +got):\n%s", id, d)
		}
		if target := r["Targets"].([]any)[0].(object); text(target["Arn"]) != "EventQueue.Arn" {
			t.Errorf("it goes to %v", target)
		}
	}
	policies, err := json.Marshal(made.of("AWS::SQS::QueuePolicy"))
	if err != nil || rules != 1 || !strings.Contains(string(policies), "events.amazonaws.com") ||
		!strings.Contains(string(policies), "EventBusRule") {
		t.Errorf("%d rules; %v; the queues' policies: %s", rules, err, policies)
	}
}

// TestOutcomesMayBeTold: who tells of outcomes may send to that one place.
func TestOutcomesMayBeTold(t *testing.T) {
	t.Parallel()
	const queue, bus = "arn:aws:sqs:eu-north-1:111122223333:outcomes", "arn:aws:events:eu-north-1:111122223333:event-bus/shop"
	for to, action := range map[string]string{queue: "sqs:SendMessage", bus: "events:PutEvents"} {
		made := synth(t, efferent.Props{Outcomes: efferent.OutcomeProps{To: to}})
		var told []string
		for id, f := range made.of("AWS::Lambda::Function") {
			env, _ := f["Environment"].(object)
			if env != nil && env["Variables"].(object)[settings.Outcomes] != nil {
				told = append(told, strings.TrimSuffix(id, "Function"))
			}
		}
		slices.Sort(told)
		granted := 0
		for _, s := range allStatements(made) {
			if slices.Contains(texts(s["Resource"]), to) && slices.Equal(texts(s["Action"]), []string{action}) {
				granted++
			}
		}
		if granted != len(told) || len(told) < 4 {
			t.Errorf("%s: %v are told of it, and %d may tell", to, told, granted)
		}
	}
}
