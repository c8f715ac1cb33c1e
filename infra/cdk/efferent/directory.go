package efferent

import (
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2integrations"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/settings"
)

// newDirectory makes the table that internal/aws/dynamodb keeps what is known of those
// who are notified in: an item for each address that is suppressed, and so on, under its
// kind and tenant. What people have asked for is nowhere else: it can be brought back as
// what newEndpoints makes can, and stays as that does.
func newDirectory(k keeping) awsdynamodb.ITableV2 {
	return k.table("Directory", &awsdynamodb.TablePropsV2{
		PartitionKey:                     &awsdynamodb.Attribute{Name: jsii.String("part"), Type: awsdynamodb.AttributeType_STRING},
		SortKey:                          &awsdynamodb.Attribute{Name: jsii.String("name"), Type: awsdynamodb.AttributeType_STRING},
		TimeToLiveAttribute:              jsii.String("expires_at"),
		Billing:                          awsdynamodb.Billing_OnDemand(nil),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: jsii.Bool(true)},
		RemovalPolicy:                    staying(k.removal),
	})
}

// makeDirectory makes the function behind the API of the directory, and its routes. It
// is as large as the one that registers endpoints, and takes the same tokens.
func (e *Efferent) makeDirectory(props Props) (err error) {
	if props.WithoutAPI || props.WithoutNotifications {
		return nil
	}
	p := props.Register
	env := map[string]string{
		settings.AuditQueueURL:  *e.Audit.QueueUrl(),
		settings.DirectoryTable: *e.Directory.TableName(),
	}
	if p.MaxTemplates != 0 {
		env[settings.MaxTemplates] = strconv.Itoa(p.MaxTemplates)
	}
	given(env, settings.TokenSecret, p.TokenSecret)
	given(env, settings.TenantClaim, p.TenantClaim)
	props.Sending.lanes(env)
	e.redacts(env, props.Ledger)
	if _, err := settings.ReadDirectory(func(name string) string { return env[name] }); err != nil {
		return err
	}
	e.Know, e.KnowLogs, err = e.newFunction(plan{
		id: "Directory", name: "directory", description: "Efferent: the API of those who are notified",
		env: env, grants: e.directoryGrants(p),
	}, props, p.FunctionProps)
	if err != nil {
		return err
	}
	e.directoryRoutes(p)
	return nil
}

func (e *Efferent) directoryGrants(p RegisterProps) []awsiam.PolicyStatement {
	grants := []awsiam.PolicyStatement{
		allow(*e.Audit.QueueArn(), "sqs:SendMessage"),
		allow(*e.Directory.TableArn(), "dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem",
			"dynamodb:Query"),
		e.readsLedgerKeys(),
	}
	if p.TokenSecret != "" {
		grants = append(grants, allow(e.secret(p.TokenSecret), "secretsmanager:GetSecretValue"))
	}
	return grants
}

// directoryPaths are those of a tenant that are the directory's. Each is written out:
// of two that end in {proxy+} it is not said which comes first ("Routing API requests").
var directoryPaths = []string{"suppressions", "suppressions/{suppression_id}", "recipients", "recipients/{recipient_id}",
	"templates", "templates/{template}",
	"templates/{template}/{act}", "templates/{template}/versions/{version}", "templates/{template}/versions/{version}/preview"}

func (e *Efferent) directoryRoutes(p RegisterProps) {
	to := awsapigatewayv2integrations.NewHttpLambdaIntegration(jsii.String("ApiDirectory"), e.Know, nil)
	for _, path := range directoryPaths {
		path = tenantPath + path
		e.api.AddRoutes(&awsapigatewayv2.AddRoutesOptions{Path: &path, Integration: to})
		e.door(p, path, to)
	}
}
