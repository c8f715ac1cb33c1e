package efferent

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// NewTemplate makes Efferent as a stack for those who have neither Go nor Node:
// what they may choose is a parameter of its template, and the functions' code is
// in a bucket of theirs, in files that CodeFile names. The app must have a
// synthesizer that wants no bootstrapped account. Errors are New's.
func NewTemplate(app constructs.Construct, version string) (*Efferent, error) {
	e, err := NewStack(app, "Efferent", Props{
		Prefix:  *ref("Prefix"),
		Version: version,
		Code: func(scope constructs.Construct, name string) (awslambda.Code, awslambda.Architecture) {
			return uploaded(scope, name, version)
		},
		Deliver: DeliverProps{Secrets: *ref("SigningPrefix")},
		Ledger: LedgerProps{Origin: *chosen("Origin",
			awscdk.Fn_Sub(jsii.String("efferent/${AWS::Region}/${AWS::AccountId}/${AWS::StackName}"), nil))},
	})
	if err != nil {
		return nil, err
	}
	stack := awscdk.Stack_Of(e.Construct)
	stack.TemplateOptions().SetDescription(jsii.String("Efferent " + version + ": signed webhooks and notifications from this account"))
	addParameters(e, stack)
	e.explain()
	return e, nil
}

// CodeFile is the name of the file of a function's code. Lambda sees that there is
// something new by the name, so the version is in it.
func CodeFile(function, version, architecture string) string {
	return fmt.Sprintf("%s_%s_%s.zip", function, version, architecture)
}

// uploaded is the code that lies in a bucket.
func uploaded(scope constructs.Construct, name, version string) (awslambda.Code, awslambda.Architecture) {
	key := awscdk.Fn_Sub(jsii.String("${CodePrefix}"+CodeFile(name, version, "${Architecture}")), nil)
	bucket := awss3.Bucket_FromBucketName(scope, jsii.String("Code-"+name), ref("CodeBucket"))
	return awslambda.Code_FromBucket(bucket, key, nil), awslambda.Architecture_Custom(ref("Architecture"), nil)
}

// isToken tells a value that is known only when the stack is deployed: what it may
// be is for the template's parameters to say.
func isToken(value string) bool {
	return *awscdk.Token_IsUnresolved(value)
}

// ref is the value of a parameter.
func ref(parameter string) *string { return awscdk.Fn_Ref(jsii.String(parameter)) }

// chosen is the value of a parameter that may be empty, and something else where
// it is.
func chosen(parameter string, otherwise *string) *string {
	return awscdk.Token_AsString(awscdk.Fn_ConditionIf(jsii.String(parameter+isGiven), ref(parameter), otherwise), nil)
}

// isGiven ends the names of the conditions that a parameter is not what it is
// by default.
const isGiven = "Given"
