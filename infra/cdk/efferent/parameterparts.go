package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/access"
)

// What is made only where a parameter is chosen.

// under has all that is below a construct made only where a condition holds.
func under(c awscdk.CfnCondition, below constructs.IConstruct) {
	for _, r := range all[awscdk.CfnResource](below) {
		r.CfnOptions().SetCondition(c)
	}
}

// takesFromBus is takesFrom, for the bus that EventBus names. A queue has one policy, so
// that of the queue of events lets the rule in where there is one.
func (e *Efferent) takesFromBus() {
	rule := awsevents.NewCfnRule(e.Construct, jsii.String("EventBusRule"), &awsevents.CfnRuleProps{
		Description:  jsii.String("Efferent: events of this bus go to the endpoints that subscribe"),
		EventBusName: ref("EventBus"),
		EventPattern: map[string]any{"source": awscdk.Fn_Split(jsii.String(","), ref("EventSources"), nil)},
		Targets:      []any{&awsevents.CfnRule_TargetProperty{Arn: e.Events.QueueArn(), Id: jsii.String("Target0")}},
	})
	under(when(e, "EventBus"), rule)
	queue := e.Construct.Node().FindChild(jsii.String("EventQueue"))
	policy := queue.Node().FindChild(jsii.String("Policy")).Node().DefaultChild().(awscdk.CfnResource)
	policy.AddPropertyOverride(jsii.String("PolicyDocument.Statement.1"), ifGiven("EventBus", map[string]any{
		"Action": "sqs:SendMessage", "Effect": "Allow", "Principal": map[string]any{"Service": "events.amazonaws.com"},
		"Resource": e.Events.QueueArn(), "Condition": map[string]any{"ArnEquals": map[string]any{"aws:SourceArn": rule.AttrArn()}},
	}, noValue))
	needs(e, "BusHasSources", "EventBus", "EventSources")
}

// needs has CloudFormation refuse one parameter without another.
func needs(e *Efferent, id, parameter, other string) {
	awscdk.NewCfnRule(awscdk.Stack_Of(e.Construct), jsii.String(id), &awscdk.CfnRuleProps{
		RuleCondition: awscdk.Fn_ConditionNot(awscdk.Fn_ConditionEquals(ref(parameter), "")),
		Assertions: &[]*awscdk.CfnRuleAssertion{{
			Assert:            awscdk.Fn_ConditionNot(awscdk.Fn_ConditionEquals(ref(other), "")),
			AssertDescription: jsii.String(parameter + " needs " + other),
		}},
	})
}

// mayAttach lets notify read attachments below the place that Attachments names.
func (e *Efferent) mayAttach() {
	bucket := awss3.Bucket_FromBucketName(e.Construct, jsii.String("AttachmentsBucket"), ref("Attachments"))
	e.mayWhen("Attachments", "Notify", e.Notify, allow(*bucket.BucketArn()+"*", "s3:GetObject"))
}

// hasTokens opens the ways in for who has a token of one tenant's own page, and lets the
// functions behind them read its key.
func (e *Efferent) hasTokens() {
	const secret = "TokenKeys"
	directory := make([]string, len(directoryPaths))
	for i, path := range directoryPaths {
		directory[i] = tenantPath + path
	}
	read := allow(e.secret(*ref(secret)), "secretsmanager:GetSecretValue")
	e.mayWhen(secret, "Endpoints", e.Register, e.makesTokens(*ref(secret))...)
	e.mayWhen(secret, "Replay", e.Replay, read)
	e.mayWhen(secret, "Directory", e.Know, read)
	for _, way := range []struct {
		id    string
		to    awslambda.IFunction
		paths []string
	}{
		{"ApiTokenReplay", e.Replay, []string{ofEndpoint}}, {"ApiTokenEndpoints", e.Register, []string{anyPath}},
		{"ApiTokenDirectory", e.Know, directory},
	} {
		to := awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String(way.id), way.to, nil)
		for _, path := range way.paths {
			for _, route := range *e.api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{Path: jsii.String(access.Door + path), Integration: to,
				Authorizer: awsapigatewayv2.NewHttpNoneAuthorizer()}) {
				under(when(e, secret), route)
			}
		}
	}
}

// watchesUntold has the alarms on outcomes that nobody was told of, where they are told.
func (e *Efferent) watchesUntold() {
	told := awscdk.NewCfnCondition(awscdk.Stack_Of(e.Construct), jsii.String("OutcomesTold"), &awscdk.CfnConditionProps{
		Expression: awscdk.Fn_ConditionOr(when(e, "OutcomesQueue"), when(e, "OutcomesBus"), when(e, "OutcomesTenant"))})
	w := newWatching(e.Construct, AlarmProps{})
	w.untold(e)
	for _, alarm := range w.alarms {
		under(told, alarm)
	}
}
