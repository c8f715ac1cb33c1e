package efferent

import (
	"fmt"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/settings"
)

// CheckpointProps is what may be chosen of the function that signs the ledger.
type CheckpointProps struct {
	// FunctionProps are those of any function, but that Timeout is 5 minutes
	// and Memory 512 MiB by default: it reads all that is new.
	FunctionProps
	// Every is how often it signs, in whole minutes, up to an hour. Entries are
	// not protected before they are signed. Default: 5 minutes.
	Every time.Duration
}

func (p CheckpointProps) withDefaults() CheckpointProps {
	p.Timeout = or(p.Timeout, 5*time.Minute)
	p.Memory = or(p.Memory, 512)
	p.FunctionProps = p.FunctionProps.withDefaults()
	p.Every = or(p.Every, 5*time.Minute)
	return p
}

func (p CheckpointProps) check() error {
	if p.Every < time.Minute || p.Every > time.Hour || p.Every%time.Minute != 0 {
		return fmt.Errorf("prop Every %s: must be whole minutes, up to 1h", p.Every)
	}
	return nil
}

// makeCheckpoint makes the function, its key, and its clock.
func (e *Efferent) makeCheckpoint(props Props) (err error) {
	p := props.Checkpoint
	if err := p.check(); err != nil {
		return err
	}
	env := e.checkpointEnvironment(props)
	if _, err := settings.ReadCheckpoint(func(name string) string { return env[name] }); err != nil {
		return err
	}
	e.SignLedger, e.SignLedgerLogs, err = e.newFunction(plan{
		id: "Checkpoint", name: "checkpoint", description: "Efferent: verifies what was appended to the ledger, and signs it",
		env: env, grants: e.checkpointGrants(props.Ledger.KeySecret),
	}, props, p.FunctionProps)
	if err != nil {
		return err
	}
	if e.LedgerKey != nil {
		e.LedgerKey.AddToResourcePolicy(keyStatement(e.SignLedger.Role(), "kms:GetPublicKey", "kms:Sign"), jsii.Bool(false))
	}
	wake(e.Construct, "CheckpointClock", "Efferent: has the ledger signed", e.SignLedger, p.Every)
	return nil
}

func (e *Efferent) checkpointEnvironment(props Props) map[string]string {
	env := map[string]string{
		settings.LedgerTable:       *e.Ledger.TableName(),
		settings.LedgerBucket:      *e.LedgerObjects.BucketName(),
		settings.CheckpointsBucket: *e.Checkpoints.BucketName(),
		settings.LedgerOrigin:      e.LedgerOrigin,
		settings.LedgerKeysSecret:  e.ledgerKeys,
	}
	if e.LedgerKey != nil {
		env[settings.LedgerKMSKey] = *e.LedgerKey.KeyArn()
	}
	given(env, settings.LedgerKeySecret, props.Ledger.KeySecret)
	props.Sending.lanes(env)
	return env
}

// checkpointGrants is written out, as deliverGrants is. It reads the ledger and
// can't append to it: of the tiles it puts those that are not full, and the
// newest checkpoint beside them. That it may sign says the key's own policy.
func (e *Efferent) checkpointGrants(keySecret string) []awsiam.PolicyStatement {
	object := func(b awss3.IBucket, path string) string { return *b.ArnForObjects(jsii.String(path)) }
	grants := append(e.readsLedger(),
		allow(object(e.LedgerObjects, "lane-*/tile/*.p/*"), "s3:PutObject"),
		allow(object(e.LedgerObjects, "lane-*/checkpoint"), "s3:PutObject"),
		allow(object(e.Checkpoints, "lane-*"), "s3:GetObject", "s3:PutObject"),
		allow(*e.Checkpoints.BucketArn(), "s3:ListBucket"),
		allow(e.secret(e.ledgerKeys), "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue",
			"secretsmanager:UpdateSecretVersionStage"))
	if keySecret != "" {
		grants = append(grants, allow(e.secret(keySecret), "secretsmanager:GetSecretValue"))
	}
	return grants
}

// newLedgerKey makes the key that signs. The account may look after it, which
// KMS insists on, and hand out its public half; signing is for checkpoint only:
// no policy of IAM can give it to anybody else.
func newLedgerKey(scope constructs.Construct, removal awscdk.RemovalPolicy) awskms.Key {
	account := awsiam.NewAccountRootPrincipal()
	return awskms.NewKey(scope, jsii.String("LedgerKey"), &awskms.KeyProps{
		Description:   jsii.String("Efferent: signs the ledger"),
		KeySpec:       awskms.KeySpec_ECC_NIST_EDWARDS25519,
		KeyUsage:      awskms.KeyUsage_SIGN_VERIFY,
		RemovalPolicy: removal,
		Policy: awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &[]awsiam.PolicyStatement{keyStatement(account,
			"kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetPublicKey", "kms:ListKeyPolicies", "kms:ListResourceTags", "kms:Verify",
			"kms:PutKeyPolicy", "kms:EnableKey", "kms:DisableKey", "kms:ScheduleKeyDeletion", "kms:CancelKeyDeletion",
			"kms:TagResource", "kms:UntagResource", "kms:UpdateKeyDescription",
			"kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias")}}),
	})
}

// keyStatement is one statement of the key's policy, in which * is the key.
func keyStatement(who awsiam.IPrincipal, actions ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Principals: &[]awsiam.IPrincipal{who}, Actions: jsii.Strings(actions...), Resources: jsii.Strings("*"),
	})
}
