package sqsserver

import (
	"context"
	"encoding/json"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

const policyName = string(types.QueueAttributeNamePolicy)

var (
	permissionLabel  = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	permissionAction = regexp.MustCompile(`^(\*|[A-Za-z]+)$`)
	accountID        = regexp.MustCompile(`^\d{12}$`)
)

// AddPermission adds a statement to the queue's policy, which has no effect
// here. Texts and policy are AWS's (recorded by LocalStack's snapshot of
// test_sqs_permission_lifecycle).
func (e *Engine) AddPermission(ctx context.Context, in *sqs.AddPermissionInput, _ ...func(*sqs.Options)) (*sqs.AddPermissionOutput, error) {
	label := aws.ToString(in.Label)
	if err := checkPermission(label, in); err != nil {
		return nil, err
	}
	err := e.changePolicy(ctx, in.QueueUrl, func(statements []any, arn string) ([]any, error) {
		if slices.ContainsFunc(statements, labelled(label)) {
			return nil, invalidValue("Label", label, "Already exists.")
		}
		return append(statements, statement(in, arn)), nil
	})
	if err != nil {
		return nil, err
	}
	return &sqs.AddPermissionOutput{}, nil
}

func checkPermission(label string, in *sqs.AddPermissionInput) error {
	switch {
	case in.Label == nil:
		return missingParameter("Label")
	case !permissionLabel.MatchString(label):
		return invalidValue("Label", label, "Label can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length.")
	case len(in.AWSAccountIds) == 0:
		return missingParameter("AWSAccountIds")
	case len(in.Actions) == 0:
		return missingParameter("Actions")
	}
	for _, id := range in.AWSAccountIds {
		if !accountID.MatchString(id) {
			return invalidValue("PrincipalId", id, "Must be the 12 digits of an account.")
		}
	}
	for _, action := range in.Actions {
		if !permissionAction.MatchString(action) {
			return invalidValue("ActionName", action, "Must be an action or *.")
		}
	}
	return nil
}

// RemovePermission takes the statement of that label out of the queue's policy.
func (e *Engine) RemovePermission(ctx context.Context, in *sqs.RemovePermissionInput, _ ...func(*sqs.Options)) (
	*sqs.RemovePermissionOutput, error) {
	if in.Label == nil {
		return nil, missingParameter("Label")
	}
	err := e.changePolicy(ctx, in.QueueUrl, func(statements []any, _ string) ([]any, error) {
		left := slices.DeleteFunc(slices.Clone(statements), labelled(*in.Label))
		if len(left) == len(statements) {
			return nil, invalidValue("Label", *in.Label, "can't find label.")
		}
		return left, nil
	})
	if err != nil {
		return nil, err
	}
	return &sqs.RemovePermissionOutput{}, nil
}

// changePolicy changes the statements of the queue's policy. Without any there
// is no policy.
func (e *Engine) changePolicy(ctx context.Context, url *string, change func(statements []any, arn string) ([]any, error)) error {
	e.admin.Lock()
	defer e.admin.Unlock()
	q, err := e.at(ctx, url)
	if err != nil {
		return err
	}
	policy := map[string]any{"Version": "2008-10-17", "Id": q.arn + "/SQSDefaultPolicy"}
	if text := q.config.Load().attributes[policyName]; text != "" {
		if err := json.Unmarshal([]byte(text), &policy); err != nil {
			return invalidAttributeValue(policyName, err.Error())
		}
	}
	statements, ok := policy["Statement"].([]any)
	if one := policy["Statement"]; !ok && one != nil {
		statements = []any{one}
	}
	if statements, err = change(statements, q.arn); err != nil {
		return err
	}
	policy["Statement"] = statements
	text, err := json.Marshal(policy)
	if err != nil || len(statements) == 0 {
		text = nil
	}
	return e.setAttributes(ctx, q, map[string]string{policyName: string(text)})
}

func labelled(label string) func(statement any) bool {
	return func(statement any) bool {
		s, ok := statement.(map[string]any)
		return ok && s["Sid"] == label
	}
}

func statement(in *sqs.AddPermissionInput, arn string) map[string]any {
	var who, what []string
	for _, id := range in.AWSAccountIds {
		who = append(who, "arn:aws:iam::"+id+":root")
	}
	for _, action := range in.Actions {
		what = append(what, "SQS:"+action)
	}
	return map[string]any{"Sid": *in.Label, "Effect": "Allow", "Principal": map[string]any{"AWS": oneOrAll(who)},
		"Action": oneOrAll(what), "Resource": arn}
}

// oneOrAll: a policy has a list of one as the one.
func oneOrAll(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}
