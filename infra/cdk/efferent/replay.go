package efferent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2authorizers"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/access"
	"github.com/efferent/efferent/internal/settings"
)

// ReplayProps is what may be chosen of the API and of the function behind it.
type ReplayProps struct {
	// FunctionProps are those of any function, but that Timeout is 29 s by
	// default and at most: API Gateway waits for 30 s.
	FunctionProps
	// Rate is the most requests a second, all callers together, and Burst how
	// many may come at once. More are answered 429. Default: 50 and 100.
	Rate, Burst int
	// JWT lets in who bears a token, instead of who signs with credentials of
	// AWS. Default: IAM.
	JWT *JWT
}

// JWT is whose tokens are taken, and for whom they must be.
type JWT struct {
	// Issuer is the https URL of the identity provider, as in the tokens' iss.
	Issuer string
	// Audience is what a token's aud, or client_id, must be one of.
	Audience []string
}

const mostReplay = 29 * time.Second

func (p ReplayProps) withDefaults() ReplayProps {
	p.Timeout = or(p.Timeout, mostReplay)
	p.FunctionProps = p.FunctionProps.withDefaults()
	p.Rate = or(p.Rate, 50)
	p.Burst = or(p.Burst, 100)
	return p
}

func (p ReplayProps) check() (err error) {
	if p.Timeout > mostReplay {
		err = fmt.Errorf("prop Timeout %s: must be at most %s, since API Gateway waits for 30s", p.Timeout, mostReplay)
	}
	if p.Rate < 1 || p.Burst < 1 {
		err = errors.Join(err, fmt.Errorf("props Rate %d and Burst %d: must be at least 1", p.Rate, p.Burst))
	}
	if p.JWT != nil && (!strings.HasPrefix(p.JWT.Issuer, "https://") || len(p.JWT.Audience) == 0 || slices.Contains(p.JWT.Audience, "")) {
		err = errors.Join(err, fmt.Errorf("prop JWT: needs an Issuer, an https URL, and an Audience; got %q and %q", p.JWT.Issuer,
			p.JWT.Audience))
	}
	return err
}

// makeReplay makes the function, and the HTTP API before it.
func (e *Efferent) makeReplay(props Props) (err error) {
	if props.WithoutAPI {
		return nil
	}
	p := props.Replay
	if err := p.check(); err != nil {
		return err
	}
	env := e.replayEnvironment(props)
	if _, err := settings.ReadReplayPlaces(func(name string) string { return env[name] }); err != nil {
		return err
	}
	e.Replay, e.ReplayLogs, err = e.newFunction(plan{
		id: "Replay", name: "replay", description: "Efferent: the API of dead-letter queues and deliveries",
		env: env, grants: append(e.replayGrants(props.Register.TokenSecret), e.tells(props.Outcomes, env)...),
	}, props, p.FunctionProps)
	if err != nil {
		return err
	}
	e.makeAPI(props)
	return nil
}

func (e *Efferent) replayEnvironment(props Props) map[string]string {
	env := map[string]string{
		settings.WebhooksQueueURL:        *e.Webhooks.QueueUrl(),
		settings.WebhookFailuresQueueURL: *e.WebhookFailures.QueueUrl(),
		settings.NotificationsQueueURL:   e.notificationsURL(),
		settings.EventsQueueURL:          *e.Events.QueueUrl(),
		settings.EventFailuresQueueURL:   *e.EventFailures.QueueUrl(),
		settings.AuditQueueURL:           *e.Audit.QueueUrl(),
		settings.AttemptsTable:           *e.Attempts.TableName(),
		settings.WaitingTable:            *e.Waiting.TableName(),
		settings.CircuitsTable:           *e.Circuits.TableName(),
		settings.EndpointsTable:          *e.Endpoints.TableName(),
		settings.LedgerTable:             *e.Ledger.TableName(),
		settings.LedgerBucket:            *e.LedgerObjects.BucketName(),
		settings.CheckpointsBucket:       *e.Checkpoints.BucketName(),
	}
	if e.NotificationFailures != nil {
		env[settings.NotificationFailuresQueueURL] = *e.NotificationFailures.QueueUrl()
	}
	if e.Reports != nil {
		env[settings.ReportsQueueURL] = *e.Reports.QueueUrl()
		env[settings.ReportFailuresQueueURL] = *e.ReportFailures.QueueUrl()
	}
	given(env, settings.TenantClaim, props.Register.TenantClaim)
	given(env, settings.TokenSecret, props.Register.TokenSecret)
	props.Sending.lanes(env)
	e.redacts(env, props.Ledger)
	return env
}

// replayGrants is written out, as deliverGrants is. SQS asks who starts a move
// task for what the task itself does ("StartMessageMoveTask").
func (e *Efferent) replayGrants(tokenSecret string) (grants []awsiam.PolicyStatement) {
	if tokenSecret != "" {
		grants = append(grants, allow(e.secret(tokenSecret), "secretsmanager:GetSecretValue"))
	}
	for _, q := range there(e.WebhookFailures, e.NotificationFailures, e.EventFailures, e.ReportFailures) {
		grants = append(grants, allow(*q.QueueArn(), "sqs:ReceiveMessage", "sqs:ChangeMessageVisibility", "sqs:DeleteMessage",
			"sqs:GetQueueAttributes",
			"sqs:StartMessageMoveTask", "sqs:ListMessageMoveTasks", "sqs:CancelMessageMoveTask"))
	}
	for _, q := range there(e.Webhooks, e.Notifications, e.Events, e.Reports, e.Audit) {
		grants = append(grants, allow(*q.QueueArn(), "sqs:SendMessage"))
	}
	grants = append(append(grants, e.readsLedger()...), e.readsCheckpoints()...)
	return append(grants,
		allow(*e.Attempts.TableArn(), "dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:UpdateItem",
			"dynamodb:DeleteItem"),
		allow(*e.Attempts.TableArn()+"/index/"+failuresIndex, "dynamodb:Query"),
		allow(*e.Waiting.TableArn(), "dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Scan", "dynamodb:BatchWriteItem"),
		allow(*e.Circuits.TableArn(), "dynamodb:Scan", "dynamodb:BatchGetItem", "dynamodb:PutItem"),
		allow(*e.Endpoints.TableArn(), "dynamodb:BatchGetItem"),
		e.readsLedgerKeys())
}

// makeAPI makes an HTTP API with one route, so that the function answers for
// whatever is not there, in the form of its other answers.
func (e *Efferent) makeAPI(props Props) {
	p := props.Replay
	var authorizer awsapigatewayv2.IHttpRouteAuthorizer = awsapigatewayv2authorizers.NewHttpIamAuthorizer()
	if p.JWT != nil {
		authorizer = awsapigatewayv2authorizers.NewHttpJwtAuthorizer(jsii.String("ApiTokens"), jsii.String(p.JWT.Issuer),
			&awsapigatewayv2authorizers.HttpJwtAuthorizerProps{JwtAudience: jsii.Strings(p.JWT.Audience...)})
	}
	api := awsapigatewayv2.NewHttpApi(e.Construct, jsii.String("Api"), &awsapigatewayv2.HttpApiProps{
		Description:        jsii.String("Efferent: dead-letter queues and deliveries"),
		CreateDefaultStage: jsii.Bool(false),
		DefaultAuthorizer:  authorizer,
	})
	to := awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String("ApiReplay"), e.Replay, nil)
	// The second is among those of another function (registerRoutes): who replays an
	// endpoint's dead letters must reach their queue.
	const ofEndpoint = "/api/v1/tenants/{tenant}/endpoints/{endpoint_id}/replay"
	for _, path := range []string{"/api/v1/{proxy+}", ofEndpoint} {
		api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{Path: jsii.String(path), Integration: to})
	}
	stage := awsapigatewayv2.NewHttpStage(e.Construct, jsii.String("ApiStage"), &awsapigatewayv2.HttpStageProps{
		HttpApi:    api,
		AutoDeploy: jsii.Bool(true),
		Throttle:   &awsapigatewayv2.ThrottleSettings{RateLimit: jsii.Number(p.Rate), BurstLimit: jsii.Number(p.Burst)},
	})
	e.APILogs = e.kept.logs("ApiLogs", p.LogRetention)
	e.stage = stage.Node().DefaultChild().(awsapigatewayv2.CfnStage)
	e.stage.SetAccessLogSettings(&awsapigatewayv2.CfnStage_AccessLogSettingsProperty{
		DestinationArn: e.APILogs.LogGroupArn(), Format: jsii.String(accessLog),
	})
	e.API, e.api = api, api
	e.door(props.Register, ofEndpoint, to)
}

// door opens a way in where there are tokens: everybody comes in there, and the function
// refuses who has no good one.
func (e *Efferent) door(p RegisterProps, path string, to awsapigatewayv2.HttpRouteIntegration) {
	if p.TokenSecret != "" {
		e.api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{Path: jsii.String(access.Door + path), Integration: to,
			Authorizer: awsapigatewayv2.NewHttpNoneAuthorizer()})
	}
}

// accessLog tells who asked for what, and what came of it. The path holds ids
// only; queries, which may hold an endpoint's URL, are left out.
const accessLog = `{"time":"$context.requestTime","request":"$context.requestId","method":"$context.httpMethod","path":"$context.path",` +
	`"status":"$context.status","bytes":"$context.responseLength","latency_ms":"$context.responseLatency","ip":"$context.identity.sourceIp",` +
	`"caller":"$context.identity.userArn","subject":"$context.authorizer.claims.sub","error":"$context.error.message",` +
	`"function_error":"$context.integrationErrorMessage"}`

// GrantCall lets somebody make every request to the API; with a JWT authoriser
// it has no effect. There must be an API.
func (e *Efferent) GrantCall(to awsiam.IGrantable) awsiam.Grant {
	return awsiam.Grant_AddToPrincipal(&awsiam.GrantOnPrincipalOptions{
		Grantee: to, Actions: jsii.Strings("execute-api:Invoke"),
		ResourceArns: jsii.Strings(e.arn("execute-api", *e.API.ApiId(), awscdk.ArnFormat_SLASH_RESOURCE_NAME, "$default/*/api/v1/*")),
	})
}
