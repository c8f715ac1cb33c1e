package efferent_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

// TestNobodyReachesTheAPIUnasked: every route there is has an authoriser.
func TestNobodyReachesTheAPIUnasked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		props efferent.Props
		want  object
	}{
		"IAM": {efferent.Props{}, object{"AuthorizationType": "AWS_IAM"}},
		"tokens": {efferent.Props{Replay: efferent.ReplayProps{JWT: &efferent.JWT{Issuer: "https://id.test", Audience: []string{"efferent"}}}},
			object{"AuthorizationType": "JWT"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			made := synth(t, c.props)
			call(t, func() {
				made.assert.AllResourcesProperties(jsii.String("AWS::ApiGatewayV2::Route"), c.want)
				made.assert.ResourceCountIs(jsii.String("AWS::ApiGatewayV2::Route"), jsii.Number(4+len(directoryPaths)))
				made.assert.AllResourcesProperties(jsii.String("AWS::ApiGatewayV2::Stage"), object{
					"StageName": "$default", "AutoDeploy": true, "DefaultRouteSettings": object{"ThrottlingRateLimit": 50, "ThrottlingBurstLimit": 100},
				})
				made.assert.ResourceCountIs(jsii.String("AWS::ApiGatewayV2::Stage"), jsii.Number(1))
			})
			tokens := made.of("AWS::ApiGatewayV2::Authorizer")
			if name == "IAM" && len(tokens) != 0 {
				t.Errorf("tokens are taken: %v", tokens)
			}
			for _, a := range tokens {
				if d := cmp.Diff(object{"Issuer": "https://id.test", "Audience": []any{"efferent"}}, a["JwtConfiguration"]); d != "" ||
					a["AuthorizerType"] != "JWT" {
					t.Errorf("%v: %s", a, d)
				}
			}
		})
	}
}

// TestCallsAreLogged: who called, and no query, which may hold a URL.
func TestCallsAreLogged(t *testing.T) {
	t.Parallel()
	stage := synth(t, efferent.Props{}).of("AWS::ApiGatewayV2::Stage")["ApiStage"]
	settings := stage["AccessLogSettings"].(object)
	format := text(settings["Format"])
	if text(settings["DestinationArn"]) != "ApiLogs.Arn" || !json.Valid([]byte(format)) ||
		!strings.Contains(format, "$context.identity.userArn") || strings.Contains(strings.ToLower(format), "query") {
		t.Errorf("the access log is %v", settings)
	}
}

// directoryPaths are those of a tenant whose own function answers, as they are sorted.
var directoryPaths = []string{"recipients", "recipients/{recipient_id}", "suppressions", "suppressions/{suppression_id}", "templates",
	"templates/{template}", "templates/{template}/versions/{version}", "templates/{template}/versions/{version}/preview",
	"templates/{template}/{act}"}

func TestNothingIsPublic(t *testing.T) {
	t.Parallel()
	made := synth(t, efferent.Props{})
	if len(made.of("AWS::Lambda::Url")) > 0 {
		t.Error("there is an AWS::Lambda::Url: say in this test who may reach it")
	}
	for name, b := range made.of("AWS::S3::Bucket") {
		if d := cmp.Diff(object{"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true},
			b["PublicAccessBlockConfiguration"]); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	var invoked []string
	for _, p := range made.of("AWS::Lambda::Permission") {
		invoked = append(invoked, fmt.Sprintf("%s invokes %s for %s", p["Principal"], text(p["FunctionName"]), text(p["SourceArn"])))
	}
	slices.Sort(invoked)
	var want []string
	for _, path := range directoryPaths {
		want = append(want, "apigateway.amazonaws.com invokes DirectoryFunction.Arn for "+
			"arn:AWS::Partition:execute-api:AWS::Region:AWS::AccountId:Api/*/*/api/v1/tenants/{tenant}/"+path)
	}
	if d := cmp.Diff(append(want,
		"apigateway.amazonaws.com invokes EndpointsFunction.Arn for "+
			"arn:AWS::Partition:execute-api:AWS::Region:AWS::AccountId:Api/*/*/api/v1/events",
		"apigateway.amazonaws.com invokes EndpointsFunction.Arn for "+
			"arn:AWS::Partition:execute-api:AWS::Region:AWS::AccountId:Api/*/*/api/v1/tenants/{proxy+}",
		"apigateway.amazonaws.com invokes ReplayFunction.Arn for "+
			"arn:AWS::Partition:execute-api:AWS::Region:AWS::AccountId:Api/*/*/api/v1/tenants/{tenant}/endpoints/{endpoint_id}/replay",
		"apigateway.amazonaws.com invokes ReplayFunction.Arn for "+
			"arn:AWS::Partition:execute-api:AWS::Region:AWS::AccountId:Api/*/*/api/v1/{proxy+}",
		"events.amazonaws.com invokes CheckpointFunction.Arn for CheckpointClock.Arn",
		"events.amazonaws.com invokes ReleaseFunction.Arn for ReleaseClock.Arn",
	), invoked); d != "" {
		t.Error(d)
	}
	for _, s := range allStatements(made) {
		who, _ := s["Principal"].(object)
		ours := who == nil || cmp.Equal(who, object{"Service": "lambda.amazonaws.com"}) || text(who["AWS"]) == "CheckpointRole.Arn" ||
			text(who["AWS"]) == "arn:AWS::Partition:iam::AWS::AccountId:root"
		if s["Effect"] == "Allow" && (s["NotPrincipal"] != nil || !ours) {
			t.Errorf("others may: %v", s)
		}
	}
}
