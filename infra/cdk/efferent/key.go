package efferent

import (
	"fmt"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// keeping is how everything that is kept is kept.
type keeping struct {
	scope   constructs.Construct
	removal awscdk.RemovalPolicy
	key     awskms.IKey // nil for AWS's own keys
}

var keyARN = regexp.MustCompile(`^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$`)

func checkKey(arn string) error {
	if arn == "" || *awscdk.Token_IsUnresolved(arn) || keyARN.MatchString(arn) {
		return nil
	}
	return fmt.Errorf("prop Key %q: must be the ARN of a key of KMS, not an alias: arn:aws:kms:REGION:ACCOUNT:key/ID", arn)
}

func newKeeping(scope constructs.Construct, props Props) keeping {
	k := keeping{scope: scope, removal: props.RemovalPolicy}
	if props.Key != "" {
		k.key = awskms.Key_FromKeyArn(scope, jsii.String("Key"), jsii.String(props.Key))
	}
	return k
}

// queue encrypts one.
func (k keeping) queue(q *awssqs.QueueProps) {
	q.Encryption, q.RemovalPolicy = awssqs.QueueEncryption_SQS_MANAGED, k.removal
	if k.key != nil {
		q.Encryption, q.EncryptionMasterKey = awssqs.QueueEncryption_KMS, k.key
	}
}

// table makes one. The CDK's own way to give it a key is not for stacks that may go to
// any region.
func (k keeping) table(id string, p *awsdynamodb.TablePropsV2) awsdynamodb.ITableV2 {
	p.Encryption = awsdynamodb.TableEncryptionV2_DynamoOwnedKey()
	t := awsdynamodb.NewTableV2(k.scope, jsii.String(id), p)
	if k.key != nil {
		made := t.Node().DefaultChild().(awscdk.CfnResource)
		made.AddPropertyOverride(jsii.String("SSESpecification"), map[string]any{"SSEEnabled": true, "SSEType": "KMS"})
		made.AddPropertyOverride(jsii.String("Replicas.0.SSESpecification.KMSMasterKeyId"), k.key.KeyArn())
	}
	return t
}

// bucket encrypts one. A bucket's own data key saves most calls of KMS ("Reducing the
// cost of SSE-KMS with Amazon S3 Bucket Keys").
func (k keeping) bucket(b *awss3.BucketProps) {
	b.Encryption, b.RemovalPolicy = awss3.BucketEncryption_S3_MANAGED, k.removal
	if k.key != nil {
		b.Encryption, b.EncryptionKey, b.BucketKeyEnabled = awss3.BucketEncryption_KMS, k.key, jsii.Bool(true)
	}
}

// logs makes a group of logs that are kept for so many days.
func (k keeping) logs(id string, days int) awslogs.ILogGroup {
	logs := awslogs.NewLogGroup(k.scope, jsii.String(id), &awslogs.LogGroupProps{RemovalPolicy: k.removal, EncryptionKey: k.key})
	logs.Node().DefaultChild().(awslogs.CfnLogGroup).SetRetentionInDays(jsii.Number(days))
	return logs
}

// grants let a function use the key, through the services that it keeps things in and
// not by itself. These are what DynamoDB asks for ("Managing encryption at rest"), and
// the others ask for less.
func (k keeping) grants() []awsiam.PolicyStatement {
	if k.key == nil {
		return nil
	}
	stack := awscdk.Stack_Of(k.scope)
	var through []string
	for _, service := range []string{"dynamodb", "s3", "secretsmanager", "sqs"} {
		through = append(through, service+"."+*stack.Region()+"."+*stack.UrlSuffix())
	}
	uses := allow(*k.key.KeyArn(), "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey",
		"kms:ReEncryptFrom", "kms:ReEncryptTo")
	uses.AddCondition(jsii.String("StringEquals"), map[string]any{"kms:ViaService": through})
	return []awsiam.PolicyStatement{uses}
}

// LetLogsUse has a key of your own app, whose ARN is Props.Key, let CloudWatch Logs
// encrypt with it, which is for the key's own policy to say ("Encrypt log data in
// CloudWatch Logs using AWS Key Management Service").
func LetLogsUse(key awskms.Key) {
	stack := awscdk.Stack_Of(key)
	s := awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("logs."+*stack.Region()+"."+*stack.UrlSuffix()), nil)},
		Actions:    jsii.Strings("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"),
		Resources:  jsii.Strings("*"), // in a key's policy that is the key
	})
	s.AddCondition(jsii.String("ArnLike"), map[string]any{"kms:EncryptionContext:aws:logs:arn": *stack.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("logs"), Resource: jsii.String("log-group"), ArnFormat: awscdk.ArnFormat_COLON_RESOURCE_NAME,
		ResourceName: jsii.String("*"),
	})})
	key.AddToResourcePolicy(s, jsii.Bool(false))
}

// LetEventsUse has a key of your own app, whose ARN is Props.Key, let EventBridge send to
// a queue that is encrypted with it, which is for the key's own policy to say
// ("Configuring AWS KMS permissions for EventBridge rules that send to Amazon SQS"): where there
// is Fanout.Bus, whose events are lost otherwise. It lets rules of this account do so.
func LetEventsUse(key awskms.Key) {
	s := awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String("events.amazonaws.com"), nil)},
		Actions:    jsii.Strings("kms:Decrypt", "kms:GenerateDataKey"),
		Resources:  jsii.Strings("*"), // in a key's policy that is the key
	})
	s.AddCondition(jsii.String("StringEquals"), map[string]any{"aws:SourceAccount": *awscdk.Stack_Of(key).Account()})
	key.AddToResourcePolicy(s, jsii.Bool(false))
}
