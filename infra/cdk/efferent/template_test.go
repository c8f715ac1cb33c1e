package efferent_test

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

// distributed is the template of `make dist`.
func distributed(t *testing.T) template {
	t.Helper()
	var made template
	call(t, func() {
		app := awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(t.TempDir()), AnalyticsReporting: jsii.Bool(false),
			DefaultStackSynthesizer: awscdk.NewBootstraplessSynthesizer(nil)})
		e, err := efferent.NewTemplate(app, "v1.2.3")
		if err != nil {
			t.Fatal(err)
		}
		made.assert = assertions.Template_FromStack(awscdk.Stack_Of(e.Construct), nil)
		made.json = *made.assert.ToJSON()
	})
	return made
}

// TestGoldenTemplate shows in a diff what a change does to the template of `make
// dist`, as TestGolden does.
func TestGoldenTemplate(t *testing.T) {
	t.Parallel()
	golden(t, "dist.json", distributed(t))
}
