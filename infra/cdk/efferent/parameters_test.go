package efferent_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/efferent/efferent/infra/cdk/efferent"
	"github.com/efferent/efferent/internal/outcome"
	"github.com/efferent/efferent/internal/settings"
)

// filled is a template as CloudFormation would deploy it with these parameters,
// and the template's defaults for the others: so much of its functions as we use.
type filled struct {
	template   object
	parameters map[string]any
}

func deploy(made template, chosen map[string]any) object {
	d := filled{made.json, maps.Clone(chosen)}
	for name, p := range made.json["Parameters"].(object) {
		if _, ok := chosen[name]; !ok {
			d.parameters[name] = p.(object)["Default"]
		}
	}
	return d.object(made.json["Resources"].(object))
}

func (d filled) object(o object) object {
	all := object{}
	for key, value := range o {
		if key == "Metadata" {
			continue
		}
		if r, ok := value.(object); ok && r["Condition"] != nil && r["Type"] != nil && !d.holds(r["Condition"].(string)) {
			continue
		}
		if v := d.value(value); v != nil {
			all[key] = v
		}
	}
	return all
}

// value resolves a value; nil is AWS::NoValue.
func (d filled) value(value any) any {
	switch v := value.(type) {
	case []any:
		all := []any{}
		for _, part := range v {
			if part = d.value(part); part != nil {
				all = append(all, part)
			}
		}
		return all
	case object:
		for f, resolve := range map[string]func(any) any{"Ref": d.ref, "Fn::If": d.either, "Fn::Sub": d.sub, "Fn::FindInMap": d.find,
			"Fn::Join": d.join} {
			if argument, ok := v[f]; ok && len(v) == 1 {
				return resolve(argument)
			}
		}
		return d.object(v)
	}
	return value
}

func (d filled) ref(name any) any {
	if name == "AWS::NoValue" {
		return nil
	}
	if value, ok := d.parameters[name.(string)]; ok {
		return value
	}
	return object{"Ref": name}
}

func (d filled) either(argument any) any {
	of := argument.([]any)
	if d.holds(of[0].(string)) {
		return d.value(of[1])
	}
	return d.value(of[2])
}

func (d filled) holds(condition string) bool {
	is := d.template["Conditions"].(object)[condition].(object)
	if some, ok := is["Fn::Or"].([]any); ok {
		return slices.ContainsFunc(some, func(one any) bool { return d.holds(one.(object)["Condition"].(string)) })
	}
	not := is["Fn::Not"].([]any)[0].(object)
	equal := not["Fn::Equals"].([]any)
	return d.value(equal[0]) != equal[1]
}

func (d filled) sub(argument any) any {
	text := argument.(string)
	for name, value := range d.parameters {
		text = strings.ReplaceAll(text, "${"+name+"}", fmt.Sprint(value))
	}
	return text
}

func (d filled) find(argument any) any {
	of := argument.([]any)
	return d.template["Mappings"].(object)[of[0].(string)].(object)[d.value(of[1]).(string)].(object)[of[2].(string)]
}

// join joins what stands side by side, as the CDK does.
func (d filled) join(argument any) any {
	of := argument.([]any)
	var parts []any
	for _, part := range d.value(of[1]).([]any) {
		text, ok := part.(string)
		if last, isText := lastOf(parts); ok && isText && of[0] == "" {
			parts[len(parts)-1] = last + text
		} else if part != "" {
			parts = append(parts, part)
		}
	}
	if text, ok := lastOf(parts); ok && len(parts) == 1 {
		return text
	}
	return object{"Fn::Join": []any{of[0], parts}}
}

func lastOf(parts []any) (string, bool) {
	if len(parts) == 0 {
		return "", false
	}
	text, ok := parts[len(parts)-1].(string)
	return text, ok
}

// TestDefaultsAreThoseOfTheCDK deploys the template of `make dist` with nothing
// chosen: but for where the code is and what is said of settings that have their
// defaults, it makes what `cdk deploy` makes.
func TestDefaultsAreThoseOfTheCDK(t *testing.T) {
	t.Parallel()
	plain := synth(t, efferent.Props{})
	plain.json["Parameters"], plain.json["Conditions"] = object{}, object{}
	want, got := deploy(plain, map[string]any{}), deploy(distributed(t), map[string]any{"CodeBucket": "code"})
	for _, resources := range []object{want, got} {
		ordered(resources)
		for _, r := range resources {
			properties, _ := r.(object)["Properties"].(object)
			switch r.(object)["Type"] {
			case "AWS::Lambda::Function":
				delete(properties, "Code")
				forgetDefaults(t, properties["Environment"].(object)["Variables"].(object))
			case "AWS::Logs::LogGroup":
				properties["RetentionInDays"] = fmt.Sprint(properties["RetentionInDays"])
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("what the CDK deploys, and what the template does:\n%s", d)
	}
}

// ordered sorts the statements of policies and their resources, which the CDK has in
// the order of their texts: a parameter is another text than its default.
func ordered(value any) {
	switch v := value.(type) {
	case []any:
		for _, part := range v {
			ordered(part)
		}
	case object:
		for key, part := range v {
			ordered(part)
			if list, ok := part.([]any); ok && (key == "Statement" || key == "Resource") {
				slices.SortFunc(list, func(a, b any) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
			}
		}
	}
}

// forgetDefaults drops settings that are what they are without being set.
func forgetDefaults(t *testing.T, env object) {
	t.Helper()
	delete(env, settings.LedgerOrigin) // it names the stack, whose name the CDK knows beforehand
	for _, name := range []string{settings.MaxEndpoints, settings.OwnSecrets, settings.MustVerify, settings.Origin, settings.TokenSecret,
		settings.TenantClaim, settings.EventRetention} {
		forgetOfEndpoints(t, env, name)
	}
	for name, by := range map[string]string{settings.OutcomeKinds: outcome.DefaultKinds, settings.OutcomesTenant: "",
		settings.Attachments: ""} {
		if env[name] == by {
			delete(env, name)
		}
	}
	unset, err := settings.ReadWebhooks(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{settings.AllowHTTP, settings.AllowCIDRs, settings.RetryPolicies, settings.Timeout, settings.ResponseLimit,
		settings.MaxHeld, settings.CircuitLimits, settings.SecretTTL, settings.SecretGrace, settings.CABundle, settings.LedgerShowPaths} {
		value, ok := env[name].(string)
		if number, isNumber := env[name].(float64); isNumber {
			value, ok = fmt.Sprint(number), true
		}
		if !ok {
			continue
		}
		set, err := settings.ReadWebhooks(func(of string) string {
			if of == name {
				return value
			}
			return ""
		})
		set.Circuits = set.Circuits.Defaults()
		same := unset
		same.Circuits = same.Circuits.Defaults()
		if name == settings.SecretTTL && value == "300s" { // the cache's own default
			set.SecretTTL = same.SecretTTL
		}
		if a, b := fmt.Sprint(set), fmt.Sprint(same); err != nil || a != b {
			t.Errorf("%s is %q, which is not as by default: %v\n%s\n%s", name, value, err, a, b)
		}
		delete(env, name)
	}
}

// forgetOfEndpoints drops a setting of registered endpoints that is as it is by default.
func forgetOfEndpoints(t *testing.T, env object, name string) {
	t.Helper()
	if env[name] == nil {
		return
	}
	unset, err := settings.ReadEndpoints(func(string) string { return "" })
	if err != nil {
		t.Fatal(err)
	}
	set, err := settings.ReadEndpoints(func(of string) string {
		if of == name {
			return fmt.Sprint(env[name])
		}
		return ""
	})
	if a, b := fmt.Sprint(set), fmt.Sprint(unset); err != nil || a != b {
		t.Errorf("%s is %q, which is not as by default: %v", name, env[name], err)
	}
	delete(env, name)
}

// TestWhatParametersTakeFunctionsTake: a function that can't start uses up its
// messages' receives, so nothing may get by the patterns that would stop it.
func TestWhatParametersTakeFunctionsTake(t *testing.T) {
	t.Parallel()
	made := distributed(t)
	parameters := made.json["Parameters"].(object)
	for _, c := range []struct{ parameter, function, variable string }{
		{"AllowHttp", "Deliver", settings.AllowHTTP}, {"AllowCidrs", "Deliver", settings.AllowCIDRs},
		{"RequestOrigin", "Endpoints", settings.Origin}, {"OutcomeKinds", "Deliver", settings.OutcomeKinds},
		{"OutcomesTenant", "Deliver", settings.OutcomesTenant}, {"Attachments", "Notify", settings.Attachments},
		{"RetryPolicies", "Deliver", settings.RetryPolicies}, {"Origin", "Checkpoint", settings.LedgerOrigin},
	} {
		t.Run(c.parameter, func(t *testing.T) {
			t.Parallel()
			pattern := parameters[c.parameter].(object)["AllowedPattern"].(string)
			rapid.Check(t, func(t *rapid.T) {
				value := rapid.StringMatching(pattern).Draw(t, "value")
				if c.parameter == "RetryPolicies" && twice(value) {
					t.Skip("a name twice is for the function to refuse")
				}
				if err := starts(c.variable, value); err != nil {
					t.Errorf("%s lets %q through, and the function says: %v", c.parameter, value, err)
				}
			})
		})
	}
}

// starts reads a setting as a function does.
func starts(variable, value string) error {
	env := func(name string) string {
		if name == variable {
			return value
		}
		return map[string]string{settings.LedgerTable: "t", settings.LedgerBucket: "b", settings.CheckpointsBucket: "c",
			settings.LedgerKMSKey: "k", settings.LedgerOrigin: "example.com/o",
			settings.Outcomes: "https://sqs.eu-north-1.amazonaws.com/000000000000/events"}[name]
	}
	if variable == settings.LedgerOrigin {
		if value == "" {
			return nil // the template has another one then
		}
		_, err := settings.ReadCheckpoint(env)
		return err
	}
	_, err := settings.ReadWebhooks(env)
	_, ofNotifications := settings.ReadNotifications(env)
	_, ofEndpoints := settings.ReadEndpoints(env)
	_, ofOutcomes := settings.ReadOutcomes(env)
	return errors.Join(err, ofNotifications, ofEndpoints, ofOutcomes)
}

func twice(policies string) bool {
	var names []string
	for part := range strings.SplitSeq(policies, ";") {
		name, _, _ := strings.Cut(part, "=")
		if slices.Contains(names, name) {
			return true
		}
		names = append(names, name)
	}
	return false
}

// TestParametersRefuseWhatPropsRefuse has values that New refuses, which the
// template's parameters must refuse too, and values that both take.
func TestParametersRefuseWhatPropsRefuse(t *testing.T) {
	t.Parallel()
	parameters := distributed(t).json["Parameters"].(object)
	for name, values := range map[string]struct{ takes, refuses []any }{
		"Prefix":        {[]any{"", "prod-", strings.Repeat("a", 40)}, []any{"a.b", "1a", strings.Repeat("a", 41)}},
		"SigningPrefix": {[]any{"efferent/webhooks/", "efferent/webhooks/prod/"}, []any{"", "prod/", "efferent/smtp", "efferent/webhooks/*"}},
		"CaBundle":      {[]any{"", "efferent/ca"}, []any{"/opt/ca.pem", "ca", "efferent/"}},
		"AllowHttp":     {[]any{"none", "all", "loopback", "loopback,a.test"}, []any{"", "http://a.test", "a.test:80", "all,a.test"}},
		"AllowCidrs": {[]any{"", "10.0.0.0/8", "10.1.0.0/16,fd00::/8", "::/0"},
			[]any{"10.0.0.0", "10.0.0.0/33", "256.0.0.0/8", "fd00::/129", "10.0.0.0/8 "}},
		"RetryPolicies":   {[]any{"", "slow=30s,60s", "a=1s;b=24h", "once="}, []any{"x=25h", "x", "x=0s", "X=1s", "x=1s,"}},
		"ExchangeTimeout": {[]any{1, 20}, []any{0, 21}},
		"ResponseLimit":   {[]any{1, 4096}, []any{0, 4097}},
		"MaxHeld":         {[]any{1, 14 * 24 * 60}, []any{0, 14*24*60 + 1}},
		"SecretGrace":     {[]any{0, 168}, []any{-1, 169}},
		"Memory":          {[]any{128, 10240}, []any{127, 10241, 20000}},
		"Retention":       {[]any{60, 1209600}, []any{59, 1209601}},
		"MaxConcurrency":  {[]any{"2", "1000"}, []any{"1", "1001"}},
		"LogRetention":    {[]any{"30"}, []any{"31"}},
		"ApiRate":         {[]any{1}, []any{0}},
		"JwtIssuer":       {[]any{"", "https://id.test/a"}, []any{"http://id.test", "id.test"}},
		"OutcomesQueue":   {[]any{"", "arn:aws:sqs:eu-north-1:000000000000:o"}, []any{"o", "https://sqs.eu-north-1.amazonaws.com/1/o"}},
		"OutcomeKinds":    {[]any{"*", "delivery.*,endpoint.failing"}, []any{"delivery", "deliverys.*", "delivery.failed,"}},
		"EventBus":        {[]any{"", "default", "shop", "arn:aws:events:eu-north-1:000000000000:event-bus/shop"}, []any{"a b", "shop,other"}},
		"EventSources":    {[]any{"", "shop.orders", "shop.orders,shop.stock"}, []any{",", "shop.orders,"}},
		"Attachments":     {[]any{"", "acme-files/", "acme-files/invoices/"}, []any{"acme-files", "acme-files/*", "acme-files/,other/"}},
		"TokenKeys":       {[]any{"", "efferent/tokens"}, []any{"tokens", "efferent/"}},
		"EventRetention":  {[]any{24, 8784}, []any{23, 8785}},
		"Origin":          {[]any{"", "example.com/prod"}, []any{"https://example.com", "a b", "a/"}},
		"LedgerRetention": {[]any{30}, []any{29}},
		"CheckpointLock":  {[]any{1}, []any{0}},
		"AlarmTopic": {[]any{"none", "arn:aws:sns:eu-north-1:000000000000:alarms"},
			[]any{"", "alarms", "arn:aws:sqs:eu-north-1:000000000000:alarms"}},
		"Architecture": {[]any{"arm64", "x86_64"}, []any{"amd64"}},
		"CodeBucket":   {[]any{"my-code"}, []any{"", "s3://my-code", "My"}},
		"CodePrefix":   {[]any{"", "efferent/", "a/b/"}, []any{"efferent", "/efferent/"}},
	} {
		for _, v := range values.takes {
			if !takes(t, parameters[name].(object), v) {
				t.Errorf("%s refuses %v", name, v)
			}
		}
		for _, v := range values.refuses {
			if takes(t, parameters[name].(object), v) {
				t.Errorf("%s takes %v", name, v)
			}
		}
	}
}

// takes is whether CloudFormation takes a value of a parameter.
func takes(t *testing.T, p object, value any) bool {
	t.Helper()
	if p["Type"] == "Number" {
		n := float64(value.(int))
		return n >= p["MinValue"].(float64) && n <= p["MaxValue"].(float64)
	}
	if values, ok := p["AllowedValues"].([]any); ok {
		return slices.Contains(values, value)
	}
	return regexp.MustCompile(p["AllowedPattern"].(string)).MatchString(value.(string))
}

// TestChosenParametersReachTheTemplate puts a value into each parameter: it must
// change something, and what it should.
func TestChosenParametersReachTheTemplate(t *testing.T) {
	t.Parallel()
	made := distributed(t)
	before := deploy(made, map[string]any{"CodeBucket": "code"})
	others := map[string]any{"Prefix": "prod-", "SigningPrefix": "efferent/webhooks/prod/", "CodeBucket": "other", "CodePrefix": "a/",
		"Architecture": "x86_64", "AllowHttp": "loopback", "AllowCidrs": "10.0.0.0/8", "RetryPolicies": "a=1s", "CaBundle": "efferent/ca",
		"LogRetention": "7", "MaxConcurrency": "5", "NotifyMaxConcurrency": "5", "Ses": "true", "EndUserMessaging": "true",
		"EventBus": "shop", "Attachments": "acme-files/invoices/", "TokenKeys": "efferent/tokens",
		"JwtIssuer": "https://id.test", "TenantClaim": "org", "OwnKeysOnly": "true",
		"MustVerify": "true", "RequestOrigin": "hooks.acme.test", "FanoutMaxConcurrency": "5", "OutcomesTenant": "operator",
		"OutcomesQueue": "arn:aws:sqs:eu-north-1:000000000000:outcomes", "OutcomeKinds": "*",
		"OutcomesBus": "arn:aws:events:eu-north-1:000000000000:event-bus/shop", "Origin": "example.com/o", "LedgerShowPaths": "true",
		"CheckpointMode": "COMPLIANCE",
		"AlarmTopic":     "arn:aws:sns:eu-north-1:000000000000:alarms", "TicketTopic": "arn:aws:sns:eu-north-1:000000000000:tickets"}
	for name, p := range made.json["Parameters"].(object) {
		value, ok := others[name]
		if p.(object)["Type"] == "Number" {
			value, ok = p.(object)["MinValue"], true
			if value == p.(object)["Default"] {
				value = p.(object)["MaxValue"]
			}
		}
		chosen := map[string]any{"CodeBucket": "code", name: value}
		if name == "JwtAudience" {
			chosen, ok = map[string]any{"CodeBucket": "code", "JwtIssuer": "https://id.test", name: "a"}, true
		}
		if name == "EventSources" {
			chosen, ok = map[string]any{"CodeBucket": "code", "EventBus": "shop", name: "shop.orders"}, true
		}
		if after := deploy(made, chosen); !ok || cmp.Equal(before, after) {
			t.Errorf("%s=%v changes nothing", name, value)
		}
	}
}

// TestParametersAreDocumented: each, with its default, and no other.
func TestParametersAreDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{}
	for name, p := range distributed(t).json["Parameters"].(object) {
		b, err := json.Marshal(p.(object)["Default"])
		if err != nil {
			t.Fatal(err)
		}
		want[name] = strings.Trim(string(b), `"`)
	}
	got := map[string]string{}
	row := regexp.MustCompile("(?m)^\\| `([A-Z][A-Za-z]+)` \\| (`([^`]*)`|[^|`]*) \\|")
	for _, m := range row.FindAllStringSubmatch(string(page), -1) {
		switch {
		case m[3] != "":
			got[m[1]] = m[3]
		case m[2] == "it is needed":
			got[m[1]] = "null"
		default:
			got[m[1]] = ""
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the parameters and their defaults, and what docs/install.md says:\n%s", d)
	}
}
