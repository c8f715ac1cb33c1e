package efferent

import (
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/settings"
)

// AuditProps is what may be chosen of the function that appends to the ledger.
type AuditProps struct {
	// FunctionProps are those of any function, but that Timeout is a sixth of
	// Queues.VisibilityTimeout by default, and 30 s at most.
	FunctionProps
}

func (p AuditProps) withDefaults(visibility time.Duration) AuditProps {
	p.Timeout = or(p.Timeout, min(30*time.Second, (visibility/6).Truncate(time.Second)))
	p.FunctionProps = p.FunctionProps.withDefaults()
	return p
}

// makeAudit makes the function. A lane is a message group, of which SQS hands
// out one batch at a time, so more invocations than lanes have nothing to do.
func (e *Efferent) makeAudit(props Props) (err error) {
	p := props.Audit
	source := SourceProps{MaxConcurrency: max(2, props.Sending.lanesOf())}.withDefaults()
	if err := checkSource(props.Queues.VisibilityTimeout, p.FunctionProps, source); err != nil {
		return err
	}
	e.AppendLedger, e.AppendLedgerLogs, err = e.newFunction(plan{
		id: "Audit", name: "audit", description: "Efferent: appends what was done to the ledger",
		env: map[string]string{
			settings.AuditQueueURL: *e.Audit.QueueUrl(),
			settings.LedgerTable:   *e.Ledger.TableName(),
			settings.LedgerBucket:  *e.LedgerObjects.BucketName(),
		},
		grants: e.auditGrants(),
	}, props, p.FunctionProps)
	if err != nil {
		return err
	}
	feed(e.Construct, "AuditFeed", e.Audit, e.AppendLedger, source)
	return nil
}

// auditGrants is written out, as deliverGrants is. It appends, and has no way to
// the key that signs, nor to where checkpoints lie, in either bucket.
func (e *Efferent) auditGrants() []awsiam.PolicyStatement {
	tiles := *e.LedgerObjects.ArnForObjects(jsii.String("lane-*/tile/*"))
	return []awsiam.PolicyStatement{
		allow(*e.Audit.QueueArn(), "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"),
		allow(*e.Ledger.TableArn(), "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:BatchWriteItem"),
		allow(tiles, "s3:GetObject", "s3:PutObject"),
		allow(*e.LedgerObjects.BucketArn(), "s3:ListBucket"),
	}
}
