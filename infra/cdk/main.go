// Command cdk is the CDK app that deploys Efferent as one stack. `cdk deploy`
// runs it, from the root of the repository.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

func main() {
	err := synthesise()
	jsii.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, "Efferent can't be deployed:", err)
		os.Exit(1)
	}
}

// synthesise writes the template of the stack that the context describes.
func synthesise() (err error) {
	defer efferent.Recover(&err)
	app := awscdk.NewApp(nil)
	context, _ := app.Node().GetAllContext(nil).(map[string]any)
	c, err := readContext(context)
	if err != nil {
		return err
	}
	if _, err := efferent.NewStack(app, c.Stack, c.Props); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}
