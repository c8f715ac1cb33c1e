package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

// template writes the template. It wants no account that was bootstrapped for the
// CDK, and nothing of the CDK's in the account.
func (r release) template() (err error) {
	defer efferent.Recover(&err)
	dir, err := os.MkdirTemp("", "efferent-dist-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	flags, err := r.flags()
	if err != nil {
		return err
	}
	app := awscdk.NewApp(&awscdk.AppProps{
		Context:            &flags,
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

// flags are those of the CDK that `cdk deploy` has too.
func (r release) flags() (map[string]any, error) {
	text, err := os.ReadFile(r.cdk)
	if err != nil {
		return nil, err
	}
	var file struct{ Context map[string]any }
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", r.cdk, err)
	}
	return file.Context, nil
}
