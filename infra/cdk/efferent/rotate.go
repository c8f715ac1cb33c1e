package efferent

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssecretsmanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/webhook"
)

// RotateProps is what may be chosen of the rotation of keys by schedule. Without
// Secrets there is none, and no function for it.
type RotateProps struct {
	// FunctionProps are those of any function.
	FunctionProps
	// Secrets are the names of those to be rotated, below Deliver.Secrets, 50 at
	// most. They have to be there: Secrets Manager tries the schedule out.
	Secrets []string
	// Every is how often, in whole days, 1 to 1000, and a day longer than the grace at
	// least: Secrets Manager takes any hour of the day. Default: 30 days.
	Every time.Duration
}

const (
	// mostDays is Secrets Manager's ("RotationRulesType" in the API reference).
	mostDays = 1000
	// mostRotated is what a role's policy can name, with its 10,240 characters.
	mostRotated = 50
)

func (p RotateProps) withDefaults() RotateProps {
	p.FunctionProps = p.FunctionProps.withDefaults()
	if len(p.Secrets) > 0 {
		p.Every = or(p.Every, 30*day)
	}
	return p
}

func (p RotateProps) check(d DeliverProps) error {
	grace := signingkey.DefaultGrace
	if d.SecretGrace != nil {
		grace = *d.SecretGrace
	}
	switch least := grace + day; {
	case len(p.Secrets) == 0 && p.Every != 0:
		return fmt.Errorf("prop Every %s: there are no Secrets to be rotated", p.Every)
	case len(p.Secrets) == 0:
		return nil
	case len(p.Secrets) > mostRotated:
		return fmt.Errorf("prop Secrets: %d, and a function's policy has room for %d; put keys into one secret", len(p.Secrets), mostRotated)
	case p.Every < least || p.Every > mostDays*day || p.Every%day != 0:
		return fmt.Errorf("prop Every %s: must be whole days, up to %d, and a day longer than the grace: %s at least", p.Every, mostDays, least)
	}
	for i, name := range p.Secrets {
		wrong := webhook.CheckReference(name)
		switch {
		case wrong != "":
			return fmt.Errorf("prop Secrets: %q %s", name, wrong)
		case strings.HasPrefix(name, "arn:") || strings.Contains(name, "#") || !strings.HasPrefix(name, d.Secrets):
			return fmt.Errorf("prop Secrets: %q must be the name of a whole secret below %s", name, d.Secrets)
		case slices.Contains(p.Secrets[:i], name):
			return fmt.Errorf("prop Secrets: %q is there twice, and a secret has one schedule", name)
		}
	}
	return nil
}

// makeRotate makes the function and the schedules, where any secret is to be
// rotated.
func (e *Efferent) makeRotate(props Props) (err error) {
	p := props.Rotate
	if err := p.check(props.Deliver); err != nil || len(p.Secrets) == 0 {
		return err
	}
	env := map[string]string{}
	props.Deliver.secretGrace(env)
	if _, err := settings.ReadRotate(func(name string) string { return env[name] }); err != nil {
		return err
	}
	e.Rotate, e.RotateLogs, err = e.newFunction(plan{
		id: "Rotate", name: "rotate", description: "Efferent: makes new keys that sign webhooks, when Secrets Manager asks",
		env: env, grants: e.rotateGrants(p.Secrets),
	}, props, p.FunctionProps)
	if err != nil {
		return err
	}
	may := letRotate(e.Construct, e.Rotate)
	schedules := constructs.NewConstruct(e.Construct, jsii.String("Rotation"))
	for _, name := range p.Secrets {
		e.schedule(schedules, name, p.Every).AddDependency(may)
	}
	return nil
}

// rotateGrants is written out, as deliverGrants is ("Lambda rotation function
// execution role permissions").
func (e *Efferent) rotateGrants(secrets []string) []awsiam.PolicyStatement {
	var arns []string
	for _, name := range secrets {
		arns = append(arns, e.secret(name))
	}
	return []awsiam.PolicyStatement{awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue",
			"secretsmanager:UpdateSecretVersionStage"),
		Resources: jsii.Strings(arns...),
	})}
}

// letRotate lets Secrets Manager call the function, for secrets of this account:
// the policy that AWS recommends against confused deputies, since one that names a
// secret would be good for that one only.
func letRotate(scope constructs.Construct, f awslambda.IFunction) awslambda.CfnPermission {
	return awslambda.NewCfnPermission(scope, jsii.String("RotatePermission"), &awslambda.CfnPermissionProps{
		Action: jsii.String("lambda:InvokeFunction"), FunctionName: f.FunctionArn(),
		Principal: jsii.String("secretsmanager.amazonaws.com"), SourceAccount: awscdk.Stack_Of(scope).Account(),
	})
}

// schedule has a secret rotated, and not at once: who deploys does not expect that
// of receivers' keys.
func (e *Efferent) schedule(scope constructs.Construct, name string, every time.Duration) awssecretsmanager.CfnRotationSchedule {
	id := strings.ReplaceAll(name, "/", ":") // a name has no colon, and a construct's no slash
	return awssecretsmanager.NewCfnRotationSchedule(scope, jsii.String(id), &awssecretsmanager.CfnRotationScheduleProps{
		SecretId:                  jsii.String(name),
		RotationLambdaArn:         e.Rotate.FunctionArn(),
		RotateImmediatelyOnUpdate: jsii.Bool(false),
		RotationRules: &awssecretsmanager.CfnRotationSchedule_RotationRulesProperty{
			AutomaticallyAfterDays: jsii.Number(int(every / day)),
		},
	})
}
