package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

// template writes the template. It wants no account that was bootstrapped for the
// CDK, and nothing of the CDK's in the account.
func (r release) template() (err error) {
	defer func() {
		switch found := recover().(type) {
		case nil:
		case runtime.Error: // a bug
			panic(found)
		default: // the CDK panics with what it finds wrong
			err = fmt.Errorf("the CDK says: %v", found)
		}
	}()
	dir, err := os.MkdirTemp("", "efferent-dist-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	app := awscdk.NewApp(&awscdk.AppProps{
		AnalyticsReporting: jsii.Bool(false), Outdir: jsii.String(dir),
		DefaultStackSynthesizer: awscdk.NewBootstraplessSynthesizer(nil),
	})
	if _, err := efferent.NewTemplate(app, r.version); err != nil {
		return err
	}
	app.Synth(nil)
	text, err := os.ReadFile(filepath.Join(dir, "Efferent.template.json"))
	if err != nil {
		return err
	}
	return os.WriteFile(r.file("efferent_"+r.version+".template.json"), text, 0o644)
}
