package efferent_test

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

// A stack of one's own, of which Efferent is a part, and whose function may
// send webhooks.
func Example() {
	app := awscdk.NewApp(nil)
	stack := awscdk.NewStack(app, jsii.String("Shop"), nil)
	e, err := efferent.New(stack, "Efferent", efferent.Props{
		Prefix:  "shop-",
		Lambdas: "../efferent/build/lambdas", // where make lambdas left them
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	shop := awsiam.NewRole(stack, jsii.String("ShopRole"), &awsiam.RoleProps{
		AssumedBy: awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
	})
	var webhooks awssqs.IQueue = e.Webhooks
	webhooks.GrantSendMessages(shop)
}
