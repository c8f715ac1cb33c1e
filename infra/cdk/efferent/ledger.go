package efferent

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/settings"
)

// LedgerProps is what may be chosen of the ledger. How many lanes it has is
// Sending.AuditLanes.
type LedgerProps struct {
	// Origin names the ledger in all that is signed, as a URL without a scheme:
	// "example.com/efferent/prod". It must not change while the ledger lives:
	// what was signed by the former name would not be taken for its own.
	// Default: "efferent/<region>/<account>/<stack>".
	Origin string
	// KeySecret names a secret that holds the key that signs, PKCS #8 as PEM,
	// in place of a key of KMS: "efferent/ledger/key". It is yours to make.
	// Default: a key of KMS, which nobody can read.
	KeySecret string
	// ShowPaths leaves the paths of the webhooks' URLs readable in the ledger.
	// Default: it has keyed hashes of them, since hooks such as Slack's carry
	// their secret there.
	ShowPaths bool
	// Retention is how long entries are kept, in whole days; their hashes and
	// what was signed stay, so that later entries can be proved and verified.
	// Default: 365 days.
	Retention time.Duration
	// CheckpointLock is for how long nobody can delete or replace a version of
	// what was signed (S3 Object Lock), in whole days. Default: a day.
	CheckpointLock time.Duration
	// Compliance locks what was signed from the account's root too, for the
	// whole of CheckpointLock. Default: who is allowed
	// s3:BypassGovernanceRetention can lift the lock, so that a trial can be
	// taken away.
	Compliance bool
}

const day = 24 * time.Hour

func (p LedgerProps) withDefaults() LedgerProps {
	p.Retention = or(p.Retention, 365*day)
	p.CheckpointLock = or(p.CheckpointLock, day)
	return p
}

// mostLanes is how many lanes' entries can expire: a bucket takes 1,000 rules
// ("PutBucketLifecycleConfiguration"), and one is for what was replaced.
const mostLanes = 999

func (p LedgerProps) check(lanes int) error {
	for name, d := range map[string]time.Duration{"Retention": p.Retention, "CheckpointLock": p.CheckpointLock} {
		if d < day || d%day != 0 {
			return fmt.Errorf("prop %s %s: must be whole days", name, d)
		}
	}
	if p.KeySecret != "" && !strings.HasPrefix(p.KeySecret, ledgerSecrets) {
		return fmt.Errorf("prop KeySecret %q: must begin with %s", p.KeySecret, ledgerSecrets)
	}
	if lanes > mostLanes {
		return fmt.Errorf("prop Sending.AuditLanes %d: %d at most, since S3 takes 1,000 lifecycle rules", lanes, mostLanes)
	}
	return nil
}

// lanesOf is the number of lanes there are.
func (p SendingProps) lanesOf() int { return or(p.AuditLanes, ledger.DefaultLanes) }

// makeLedger makes what the ledger is kept in.
func (e *Efferent) makeLedger(props Props) error {
	p := props.Ledger
	if err := p.check(props.Sending.lanesOf()); err != nil {
		return err
	}
	e.Ledger = newLedgerTable(e.kept)
	e.LedgerObjects = newTiles(e.kept, props)
	e.Checkpoints = newCheckpoints(e.kept, props)
	e.ledgerKeys = newLedgerKeys(e.kept, props)
	stack := awscdk.Stack_Of(e.Construct)
	e.LedgerOrigin = or(p.Origin, strings.Join([]string{"efferent", *stack.Region(), *stack.Account(), *stack.StackName()}, "/"))
	if p.KeySecret == "" {
		e.LedgerKey = newLedgerKey(e.Construct, props.RemovalPolicy)
	}
	return nil
}

// newLedgerTable makes the table that internal/aws/dynamodb keeps the lanes'
// heads in, and entries until their bundle is full.
func newLedgerTable(k keeping) awsdynamodb.ITableV2 {
	key := func(name string) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: jsii.String(name), Type: awsdynamodb.AttributeType_STRING}
	}
	return k.table("Ledger", &awsdynamodb.TablePropsV2{
		PartitionKey:                     key("lane"),
		SortKey:                          key("item"),
		Billing:                          awsdynamodb.Billing_OnDemand(nil),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: jsii.Bool(true)},
		RemovalPolicy:                    k.removal,
	})
}

// replacedFor is how long what somebody deleted of the entries can be brought
// back, and so how long entries that expired are still there.
const replacedFor = 30 * day

// newTiles makes the bucket of tiles and bundles of entries. A lane is a log of
// C2SP tlog-tiles, with its newest checkpoint. What is deleted or replaced in it
// can be brought back for a while.
func newTiles(k keeping, props Props) awss3.IBucket {
	rules := []*awss3.LifecycleRule{{
		Id:                          jsii.String("replaced"),
		NoncurrentVersionExpiration: days(props.Ledger.Retention),
	}}
	for lane := range props.Sending.lanesOf() {
		name := ledger.LaneName(lane)
		rules = append(rules, &awss3.LifecycleRule{
			Id:                          jsii.String(name),
			Prefix:                      jsii.String(name + "/tile/entries/"),
			Expiration:                  days(props.Ledger.Retention),
			NoncurrentVersionExpiration: days(min(replacedFor, props.Ledger.Retention)),
		})
	}
	bucket := bucketProps(k)
	bucket.LifecycleRules = &rules
	return awss3.NewBucket(k.scope, jsii.String("LedgerTiles"), bucket)
}

// newCheckpoints makes the bucket of what was signed. Nothing in it expires:
// the newest checkpoint is what all later ones are held against, however old it
// is, and a year of them is some 100 MB.
func newCheckpoints(k keeping, props Props) awss3.IBucket {
	bucket := bucketProps(k)
	lock := awss3.ObjectLockRetention_Governance
	if props.Ledger.Compliance {
		lock = awss3.ObjectLockRetention_Compliance
	}
	bucket.ObjectLockDefaultRetention = lock(days(props.Ledger.CheckpointLock))
	return awss3.NewBucket(k.scope, jsii.String("Checkpoints"), bucket)
}

// bucketProps is what both buckets have.
func bucketProps(k keeping) *awss3.BucketProps {
	b := &awss3.BucketProps{
		Versioned:         jsii.Bool(true),
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		EnforceSSL:        jsii.Bool(true),
	}
	k.bucket(b)
	return b
}

// newLedgerKeys makes the secret of the keys by which the ledger's hashes of
// recipients and paths are made, one for each month. checkpoint puts them there
// ahead of time; who deletes a month's makes its hashes unreadable for good.
func newLedgerKeys(k keeping, props Props) string {
	name := ledgerSecrets + props.Prefix + "keys"
	awssecretsmanager.NewSecret(k.scope, jsii.String("LedgerKeys"), &awssecretsmanager.SecretProps{
		SecretName:  jsii.String(name),
		Description: jsii.String("Efferent: the keys of the ledger's hashes, by month"),
		// Nothing secret yet. It must stay as it is: CloudFormation puts a new value
		// where this one changes ("AWS::SecretsManager::Secret").
		SecretStringValue: awscdk.SecretValue_UnsafePlainText(jsii.String("{}")),
		EncryptionKey:     k.key,
		RemovalPolicy:     k.removal,
	})
	return name
}

// ledgerSecrets is what the names of the ledger's secrets begin with.
const ledgerSecrets = "efferent/ledger/"

// redacts gives a function what it redacts with.
func (e *Efferent) redacts(env map[string]string, p LedgerProps) {
	env[settings.LedgerKeysSecret] = e.ledgerKeys
	if p.ShowPaths {
		env[settings.LedgerShowPaths] = "true"
	}
}

// secret is the ARN of the secret of that name: Secrets Manager puts a hyphen
// and six characters behind it.
func (e *Efferent) secret(name string) string {
	return e.arn("secretsmanager", "secret", awscdk.ArnFormat_COLON_RESOURCE_NAME, name+"-??????")
}

// readsLedgerKeys lets a function redact.
func (e *Efferent) readsLedgerKeys() awsiam.PolicyStatement {
	return allow(e.secret(e.ledgerKeys), "secretsmanager:GetSecretValue")
}

// GrantAudit lets somebody read all of the ledger and what was signed, and so
// verify it, and prove entries.
func (e *Efferent) GrantAudit(to awsiam.IGrantable) {
	for _, s := range append(e.readsLedger(), e.readsCheckpoints()...) {
		to.GrantPrincipal().AddToPrincipalPolicy(s)
	}
	if e.LedgerKey != nil {
		to.GrantPrincipal().AddToPrincipalPolicy(allow(*e.LedgerKey.KeyArn(), "kms:GetPublicKey"))
	}
}

// readsLedger lets a function read the ledger, but for what was signed. Who may
// not list a bucket is not told that an object is not there ("GetObject").
func (e *Efferent) readsLedger() []awsiam.PolicyStatement {
	return []awsiam.PolicyStatement{
		allow(*e.Ledger.TableArn(), "dynamodb:GetItem", "dynamodb:Query"),
		allow(*e.LedgerObjects.ArnForObjects(jsii.String("lane-*")), "s3:GetObject"),
		allow(*e.LedgerObjects.BucketArn(), "s3:ListBucket"),
	}
}

// readsCheckpoints lets a function read what was signed.
func (e *Efferent) readsCheckpoints() []awsiam.PolicyStatement {
	return []awsiam.PolicyStatement{
		allow(*e.Checkpoints.ArnForObjects(jsii.String("lane-*")), "s3:GetObject"),
		allow(*e.Checkpoints.BucketArn(), "s3:ListBucket"),
	}
}

func days(d time.Duration) awscdk.Duration {
	return awscdk.Duration_Days(jsii.Number(d / day))
}
