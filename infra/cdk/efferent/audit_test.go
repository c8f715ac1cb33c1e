package efferent_test

import (
	"debug/elf"
	"slices"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

// TestAnAuditorReadsAndNoMore is about GrantAudit.
func TestAnAuditorReadsAndNoMore(t *testing.T) {
	t.Parallel()
	lambdas := built(t, elf.EM_AARCH64)
	var made template
	call(t, func() {
		stack := awscdk.NewStack(newApp(t), jsii.String("Shop"), nil)
		e, err := efferent.New(stack, "Efferent", efferent.Props{Lambdas: lambdas})
		if err != nil {
			t.Fatal(err)
		}
		e.GrantAudit(awsiam.NewRole(stack, jsii.String("EfferentAuditor"), &awsiam.RoleProps{
			AssumedBy: awsiam.NewAccountRootPrincipal()}))
		made.json = *assertions.Template_FromStack(stack, nil).ToJSON()
	})
	var got []string
	for _, p := range made.of("AWS::IAM::Policy") {
		for _, s := range statements(p["PolicyDocument"]) {
			for _, action := range texts(s["Action"]) {
				for _, resource := range texts(s["Resource"]) {
					got = append(got, action+" "+resource)
				}
			}
		}
	}
	want := append(readsLedger("lane-*"), "s3:GetObject Checkpoints.Arn/lane-*", "s3:ListBucket Checkpoints.Arn",
		"kms:GetPublicKey LedgerKey.Arn")
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
