package efferent

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
)

// VPCProps is where in a VPC the functions run: all of them, for each calls AWS, and
// two call others. They must reach AWS's services from there, by endpoints of the VPC
// or by NAT, and what they send to. Default: in no VPC of yours.
type VPCProps struct {
	// Subnets are the ids of private ones, up to 16: "subnet-…". A function has no
	// public address, so a public subnet gets it nowhere.
	Subnets []string
	// SecurityGroups are the ids of those that say where the functions may connect
	// to, up to 5: "sg-…". They need no rule for what comes in.
	SecurityGroups []string
}

// What Lambda takes ("VpcConfig" in its API reference).
const mostSubnets, mostGroups = 16, 5

var (
	subnetID = regexp.MustCompile(`^subnet-([0-9a-f]{8}|[0-9a-f]{17})$`)
	groupID  = regexp.MustCompile(`^sg-([0-9a-f]{8}|[0-9a-f]{17})$`)
)

func (p VPCProps) check() error {
	if len(p.Subnets) == 0 && len(p.SecurityGroups) == 0 {
		return nil
	}
	return errors.Join(ids("Subnets", p.Subnets, subnetID, "subnet-0123456789abcdef0", mostSubnets),
		ids("SecurityGroups", p.SecurityGroups, groupID, "sg-0123456789abcdef0", mostGroups))
}

func ids(prop string, all []string, form *regexp.Regexp, like string, most int) error {
	if len(all) == 0 || len(all) > most {
		return fmt.Errorf("prop %s: there must be 1 to %d, where Subnets or SecurityGroups are given; got %d", prop, most, len(all))
	}
	for _, id := range all {
		if !*awscdk.Token_IsUnresolved(id) && !form.MatchString(id) {
			return fmt.Errorf("prop %s: %q is not the id of one, such as %s", prop, id, like)
		}
	}
	return nil
}

// place puts a function there.
func (p VPCProps) place(f awslambda.CfnFunction) {
	if len(p.Subnets) > 0 {
		f.SetVpcConfig(&awslambda.CfnFunction_VpcConfigProperty{
			SubnetIds: jsii.Strings(p.Subnets...), SecurityGroupIds: jsii.Strings(p.SecurityGroups...),
		})
	}
}

// grants are what Lambda itself does with a function's role ("Giving Lambda functions
// access to resources in an Amazon VPC"). EC2 knows no resource for them, so what runs
// in the function is denied the same: its calls have the function as their source.
func (p VPCProps) grants() []awsiam.PolicyStatement {
	if len(p.Subnets) == 0 {
		return nil
	}
	actions := []string{"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
		"ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses"}
	return []awsiam.PolicyStatement{allow("*", actions...), awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Effect: awsiam.Effect_DENY, Actions: jsii.Strings(actions...), Resources: jsii.Strings("*"),
		Conditions: &map[string]any{"Null": map[string]any{"lambda:SourceFunctionArn": "false"}},
	})}
}
