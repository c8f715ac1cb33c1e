package efferent

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/settings"
)

// RegisterProps is what may be chosen of the API of registered endpoints, and of the
// function behind it.
type RegisterProps struct {
	// FunctionProps are those of any function, but that Timeout is 29 s by default and
	// at most, as ReplayProps has it.
	FunctionProps
	// MaxEndpoints is how many endpoints a tenant may have, up to 200. Default: 20.
	MaxEndpoints int
	// MaxTemplates is how many templates of notifications a tenant may have, up to 1000.
	// Default: 200.
	MaxTemplates int
	// TokenSecret names a secret below "efferent/" with the key of tokens for one
	// tenant's own page. It opens the paths below /token/api/v1/ to everybody who brings
	// one. Default: there are none.
	TokenSecret string
	// TenantClaim is the claim of JWT's tokens that says which tenant their bearer is
	// limited to. Default: nobody is.
	TenantClaim string
	// Origin is this sender's name when a receiver is asked whether it wants events, a
	// DNS name. Default: "efferent".
	Origin string
	// MustVerify says that no endpoint is enabled before its receiver has said that it
	// wants events. Default: they need not.
	MustVerify bool
	// OwnSecrets says that an endpoint may name secrets of its own tenant only, whoever
	// registers it: for callers whom IAM lets act for one tenant, of which the function is
	// not told. Default: who may act for all tenants may name any below Deliver.Secrets.
	OwnSecrets bool
}

func (p RegisterProps) withDefaults() RegisterProps {
	p.Timeout = or(p.Timeout, mostReplay)
	p.FunctionProps = p.FunctionProps.withDefaults()
	return p
}

func (p RegisterProps) check() error {
	switch {
	case p.Timeout > mostReplay:
		return fmt.Errorf("prop Timeout %s: must be at most %s, since API Gateway waits for 30s", p.Timeout, mostReplay)
	case p.TokenSecret != "" && !strings.HasPrefix(p.TokenSecret, secretNames):
		return fmt.Errorf("prop TokenSecret %q: must begin with %s", p.TokenSecret, secretNames)
	}
	return nil
}

// makeRegister makes the function that registers endpoints, and its routes.
func (e *Efferent) makeRegister(props Props) (err error) {
	if props.WithoutAPI {
		return nil
	}
	p := props.Register
	if err := p.check(); err != nil {
		return err
	}
	env := e.registerEnvironment(props)
	getenv := func(name string) string { return env[name] }
	if _, err := settings.ReadEndpointsPlaces(getenv); err != nil {
		return err
	}
	if _, err := settings.ReadEndpoints(getenv); err != nil {
		return err
	}
	e.Register, e.RegisterLogs, err = e.newFunction(plan{
		id: "Endpoints", name: "endpoints", description: "Efferent: the API of registered endpoints",
		env: env, grants: append(e.registerGrants(props), e.tells(props.Outcomes, env)...),
	}, props, p.FunctionProps)
	if err != nil {
		return err
	}
	e.registerRoutes(p)
	return nil
}

func (e *Efferent) registerEnvironment(props Props) map[string]string {
	p := props.Register
	env := map[string]string{
		settings.EventsQueueURL:   *e.Events.QueueUrl(),
		settings.WebhooksQueueURL: *e.Webhooks.QueueUrl(),
		settings.AuditQueueURL:    *e.Audit.QueueUrl(),
		settings.AttemptsTable:    *e.Attempts.TableName(),
		settings.EndpointsTable:   *e.Endpoints.TableName(),
		settings.EventsTable:      *e.Published.TableName(),
	}
	props.Fanout.keeps(env)
	props.Deliver.network(env)
	given(env, settings.Proxy, props.Sending.Proxy)
	if p.MaxEndpoints != 0 {
		env[settings.MaxEndpoints] = strconv.Itoa(p.MaxEndpoints)
	}
	given(env, settings.TokenSecret, p.TokenSecret)
	given(env, settings.TenantClaim, p.TenantClaim)
	given(env, settings.Origin, p.Origin)
	if p.MustVerify {
		env[settings.MustVerify] = "true"
	}
	if p.OwnSecrets {
		env[settings.OwnSecrets] = "true"
	}
	given(env, settings.RetryPolicies, props.Sending.RetryPolicies)
	props.Sending.lanes(env)
	e.redacts(env, props.Ledger)
	return env
}

// registerGrants is written out, as deliverGrants is. A transaction asks for what is
// done in it ("TransactWriteItems"). It makes and changes the secrets of tenants, and
// can delete none.
func (e *Efferent) registerGrants(props Props) []awsiam.PolicyStatement {
	secrets := e.arn("secretsmanager", "secret", awscdk.ArnFormat_COLON_RESOURCE_NAME, props.Deliver.Secrets+"*")
	grants := []awsiam.PolicyStatement{
		allow(*e.Audit.QueueArn(), "sqs:SendMessage"),
		allow(*e.Events.QueueArn(), "sqs:SendMessage"),
		allow(*e.Webhooks.QueueArn(), "sqs:SendMessage"),
		allow(*e.Attempts.TableArn(), "dynamodb:Query"),
		allow(*e.Attempts.TableArn()+"/index/"+endpointsIndex, "dynamodb:Query"),
		allow(*e.Endpoints.TableArn(), "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"),
		allow(*e.Published.TableArn(), "dynamodb:PutItem", "dynamodb:Query"),
		allow(secrets, "secretsmanager:GetSecretValue", "secretsmanager:CreateSecret", "secretsmanager:PutSecretValue",
			"secretsmanager:UpdateSecretVersionStage"),
		e.readsLedgerKeys(),
	}
	if name := props.Register.TokenSecret; name != "" {
		grants = append(grants, e.makesTokens(name)...)
	}
	if name := props.Deliver.CABundle; name != "" {
		grants = append(grants, allow(e.secret(name), "secretsmanager:GetSecretValue"))
	}
	return grants
}

// makesTokens lets a function read the key of tokens, and make it where there is none:
// what ends its ARN is not known before that.
func (e *Efferent) makesTokens(secret string) []awsiam.PolicyStatement {
	return []awsiam.PolicyStatement{
		allow(e.secret(secret), "secretsmanager:GetSecretValue"),
		allow(e.arn("secretsmanager", "secret", awscdk.ArnFormat_COLON_RESOURCE_NAME, secret+"*"), "secretsmanager:CreateSecret"),
	}
}

// registerRoutes are more specific than the API's other one, and so come first
// ("Routing API requests").
func (e *Efferent) registerRoutes(p RegisterProps) {
	to := awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String("ApiEndpoints"), e.Register, nil)
	for _, path := range []string{"/api/v1/tenants/{proxy+}", "/api/v1/events"} {
		e.api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{Path: jsii.String(path), Integration: to})
	}
	e.door(p, anyPath, to)
}
