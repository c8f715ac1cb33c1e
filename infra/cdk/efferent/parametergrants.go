package efferent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// mayReadBundle lets deliver read the certificates that CaBundle names.
func (e *Efferent) mayReadBundle() {
	bundle := allow(e.secret(*ref("CaBundle")), "secretsmanager:GetSecretValue")
	e.mayWhen("CaBundle", "Deliver", e.Deliver, bundle)
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
	chosen := ifGiven("JwtIssuer", map[string]any{"Ref": *awscdk.Stack_Of(e.Construct).GetLogicalId(tokens)}, map[string]any{"Ref": "AWS::NoValue"})
	for _, c := range *e.API.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if route, ok := c.(awsapigatewayv2.CfnRoute); ok {
			route.AddPropertyOverride(jsii.String("AuthorizationType"), ifGiven("JwtIssuer", "JWT", "AWS_IAM"))
			route.AddPropertyOverride(jsii.String("AuthorizerId"), chosen)
		}
	}
}

// ifGiven is one value where a parameter is chosen, and another where it is not.
func ifGiven(parameter string, value, otherwise any) map[string]any {
	return map[string]any{"Fn::If": []any{parameter + isGiven, value, otherwise}}
}
