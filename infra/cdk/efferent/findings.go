package efferent

import (
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/jsii-runtime-go"
)

// Finding is what a checker of templates says of the stack and what stays as it
// is all the same. The template says so too, where the checkers look for it, so
// that whoever runs them finds only what is new. docs/deploy.md lists all.
type Finding struct {
	// Check is the checker's name of it: of checkov's, or of cdk-nag's AwsSolutions.
	Check string
	// On are the types of resources that it is about.
	On []string
	// Why it stays.
	Why string
}

const (
	aFunction = "AWS::Lambda::Function"
	aBucket   = "AWS::S3::Bucket"
	aSecret   = "AWS::SecretsManager::Secret"
	aTable    = "AWS::DynamoDB::GlobalTable"
	aQueue    = "AWS::SQS::Queue"
	aLogGroup = "AWS::Logs::LogGroup"
	aRole     = "AWS::IAM::Role"
	aPolicy   = "AWS::IAM::Policy"
	aRoute    = "AWS::ApiGatewayV2::Route"
)

// Findings are all that stay.
var Findings = []Finding{
	{"AwsSolutions-IAM5", []string{aRole, aPolicy},
		"An asterisk ends the name of secrets below a prefix, or of objects of the ledger's lanes; " +
			"no action has one. A test names every permission."},
	{"AwsSolutions-S1", []string{aBucket}, noAccessLogs},
	{"CKV_AWS_18", []string{aBucket}, noAccessLogs},
	{"AwsSolutions-SMG4", []string{aSecret},
		"checkpoint adds a key for each month by itself; to replace one would make its hashes unreadable."},
	{"CKV_AWS_149", []string{aSecret}, "It is encrypted with the key that AWS keeps for Secrets Manager. " +
		"Who may read it is said by the functions' roles."},
	{"CKV_AWS_27", []string{aQueue}, "It is encrypted with SQS's own keys (SSE-SQS), which the check does not know."},
	{"CKV_AWS_158", []string{aLogGroup},
		"CloudWatch Logs encrypts it with a key of its own, and no line holds a secret, a signature or a body."},
	{"CKV_AWS_173", []string{aFunction}, "Lambda encrypts it with a key of its own, and no variable holds a secret."},
	{"CKV_AWS_115", []string{aFunction}, "Concurrency is bounded by the event source's MaximumConcurrency: " +
		"a reserved one throttles, which uses up the messages' receives."},
	{"CKV_AWS_116", []string{aFunction},
		"What comes from a queue has that queue's dead-letter queue, and who is woken by a clock is woken again."},
	{"CKV_AWS_117", []string{aFunction}, "Outside of a VPC a function reaches the internet, and nothing of yours."},
	{"CKV_AWS_165", []string{aTable}, "What is in it lives for 30 days at most, and what was done is in the ledger, which has it."},
	{"AwsSolutions-APIG4", []string{aRoute}, openRoute},
}

const openRoute = "Who comes by a route below /token/ has a token that the function itself verifies. A test names every open route."

const noAccessLogs = "CloudTrail's data events say who read and wrote objects, where that is wanted. " +
	"Access logs would want a bucket more, and come hours late."

// explain writes what stays into the template, for the checkers.
func (e *Efferent) explain() {
	for _, r := range all[awscdk.CfnResource](e.Construct) {
		var skip, suppress []any
		for _, f := range Findings {
			switch {
			case !slices.Contains(f.On, *r.CfnResourceType()) || isClosed(r):
			case strings.HasPrefix(f.Check, "CKV"):
				skip = append(skip, map[string]any{"id": f.Check, "comment": f.Why})
			default:
				suppress = append(suppress, map[string]any{"id": f.Check, "reason": f.Why})
			}
		}
		if skip != nil {
			r.AddMetadata(jsii.String("checkov"), map[string]any{"skip": skip})
		}
		if suppress != nil {
			r.AddMetadata(jsii.String("cdk_nag"), map[string]any{"rules_to_suppress": suppress})
		}
	}
}

// isClosed tells a route that has an authoriser: nothing is to be excused there.
func isClosed(r awscdk.CfnResource) bool {
	route, ok := r.(awsapigatewayv2.CfnRoute)
	return ok && *route.AuthorizationType() != "NONE"
}
