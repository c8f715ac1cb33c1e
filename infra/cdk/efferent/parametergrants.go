package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/settings"
)

// mayReadBundle lets deliver and notify read the certificates that CaBundle names.
func (e *Efferent) mayReadBundle() {
	bundle := allow(e.secret(*ref("CaBundle")), "secretsmanager:GetSecretValue")
	e.mayWhen("CaBundle", "Deliver", e.Deliver, bundle)
	e.mayWhen("CaBundle", "Notify", e.Notify, bundle)
	e.mayWhen("CaBundle", "Endpoints", e.Register, bundle)
}

// mayTell lets functions tell outcomes to where that was chosen: the queue of
// events, or else a queue, or else a bus.
func (e *Efferent) mayTell() {
	part := func(n int) map[string]any {
		return map[string]any{"Fn::Select": []any{n, map[string]any{"Fn::Split": []any{":", map[string]any{"Ref": "OutcomesQueue"}}}}}
	}
	url := map[string]any{"Fn::Join": []any{"", []any{"https://sqs.", part(3), ".", map[string]any{"Ref": "AWS::URLSuffix"}, "/", part(4),
		"/", part(5)}}}
	published := map[string]any{"Ref": *awscdk.Stack_Of(e.Construct).GetLogicalId(resource(e, "EventQueue"))}
	to := ifGiven("OutcomesTenant", published, ifGiven("OutcomesQueue", url,
		ifGiven("OutcomesBus", map[string]any{"Ref": "OutcomesBus"}, noValue)))
	for i, f := range []awslambda.IFunction{e.Deliver, e.Notify, e.Replay, e.Fanout, e.Register} {
		name := telling[i]
		resource(e, name+"Function").AddPropertyOverride(jsii.String("Environment.Variables."+settings.Outcomes), to)
		e.mayWhen("OutcomesQueue", name, f, allow(*ref("OutcomesQueue"), "sqs:SendMessage"))
		e.mayWhen("OutcomesBus", name, f, allow(*ref("OutcomesBus"), "events:PutEvents"))
		e.mayWhen("OutcomesTenant", name, f, allow(*e.Events.QueueArn(), "sqs:SendMessage"))
	}
	e.watchesUntold()
}

// maySES lets notify send email by SES.
func (e *Efferent) maySES() { e.mayWhen("Ses", "Notify", e.Notify, e.sesGrants()...) }

// mayEndUserMessaging lets notify send SMS by End User Messaging.
func (e *Efferent) mayEndUserMessaging() {
	e.mayWhen("EndUserMessaging", "Notify", e.Notify, e.endUserMessagingGrants()...)
}

// mayWhen lets a function do more when a parameter is chosen. That can't be a part
// of the policy that its role is made with.
func (e *Efferent) mayWhen(parameter, name string, f awslambda.IFunction, statements ...awsiam.PolicyStatement) {
	policy := awsiam.NewPolicy(e.Construct, jsii.String(name+parameter), &awsiam.PolicyProps{
		Statements: &statements, Roles: &[]awsiam.IRole{f.Role()}})
	policy.Node().DefaultChild().(awsiam.CfnPolicy).CfnOptions().SetCondition(when(e, parameter))
}

// takesTokens has the API take tokens in place of signed requests when an issuer
// is named.
func (e *Efferent) takesTokens() {
	tokens := awsapigatewayv2.NewCfnAuthorizer(e.Construct, jsii.String("ApiIssuer"), &awsapigatewayv2.CfnAuthorizerProps{
		ApiId: e.API.ApiId(), AuthorizerType: jsii.String("JWT"), Name: jsii.String("ApiIssuer"),
		IdentitySource: jsii.Strings("$request.header.Authorization"),
		JwtConfiguration: &awsapigatewayv2.CfnAuthorizer_JWTConfigurationProperty{
			Issuer: ref("JwtIssuer"), Audience: awscdk.Fn_Split(jsii.String(","), ref("JwtAudience"), nil)},
	})
	tokens.CfnOptions().SetCondition(when(e, "JwtIssuer"))
	of := map[string]any{"Ref": *awscdk.Stack_Of(e.Construct).GetLogicalId(tokens)}
	for _, route := range all[awsapigatewayv2.CfnRoute](e.API) {
		route.AddPropertyOverride(jsii.String("AuthorizationType"), ifGiven("JwtIssuer", "JWT", "AWS_IAM"))
		route.AddPropertyOverride(jsii.String("AuthorizerId"), ifGiven("JwtIssuer", of, noValue))
	}
	needs(e, "TokensAreForSomebody", "JwtIssuer", "JwtAudience")
}

// tellsTopics has every alarm tell its topic, if one is named.
func (e *Efferent) tellsTopics() {
	one := func(parameter string) []any { return []any{map[string]any{"Ref": parameter}} }
	topics := map[severity]any{page: ifGiven("AlarmTopic", one("AlarmTopic"), noValue)}
	topics[ticket] = ifGiven("TicketTopic", one("TicketTopic"), topics[page])
	for _, alarm := range all[awscloudwatch.CfnAlarm](e.Construct) {
		topic := topics[severityOf(*alarm.AlarmDescription())]
		alarm.AddPropertyOverride(jsii.String("AlarmActions"), topic)
		alarm.AddPropertyOverride(jsii.String("OKActions"), topic)
	}
}

// all are the resources of a kind below a construct.
func all[T any](below constructs.IConstruct) (found []T) {
	for _, c := range *below.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if resource, ok := c.(T); ok {
			found = append(found, resource)
		}
	}
	return found
}

// noValue is as if nothing had been there.
var noValue = map[string]any{"Ref": "AWS::NoValue"}

// ifGiven is one value where a parameter is chosen, and another where it is not.
func ifGiven(parameter string, value, otherwise any) map[string]any {
	return map[string]any{"Fn::If": []any{parameter + isGiven, value, otherwise}}
}
