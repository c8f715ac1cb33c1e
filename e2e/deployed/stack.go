// Package deployed puts Efferent into an AWS-compatible endpoint with the real
// CDK, runs every scenario on what was deployed, and takes it away again.
package deployed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Target is where a stack is deployed to.
type Target struct {
	// Endpoint is AWS_ENDPOINT_URL; "" is AWS itself.
	Endpoint string
	Account  string
	Region   string
	// AccessKey and SecretKey are the deployer's; "" leaves them to the
	// environment.
	AccessKey, SecretKey string
	// CA is the file of an authority to trust besides.
	CA string
	// Root is the repository, Dir for temporary files.
	Root, Dir string
}

// environment is the CDK's.
func (t *Target) environment() []string {
	env := append(os.Environ(), "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1", "GOARCH_LAMBDA="+runtime.GOARCH,
		"AWS_REGION="+t.Region, "AWS_DEFAULT_REGION="+t.Region, "CDK_DEFAULT_REGION="+t.Region)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": t.Endpoint, "AWS_ENDPOINT_URL_S3": t.Endpoint, "AWS_ACCESS_KEY_ID": t.AccessKey, "AWS_SECRET_ACCESS_KEY": t.SecretKey,
		"NODE_EXTRA_CA_CERTS": t.CA, "AWS_CA_BUNDLE": t.CA,
	} {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	return env
}

func (t *Target) cdk(ctx context.Context, args ...string) error {
	c := exec.CommandContext(ctx, "npx", append([]string{"cdk"}, args...)...)
	c.Dir, c.Env = t.Root, t.environment()
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("cdk %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// Deploy bootstraps the account and deploys a stack with these context values.
// It returns the stack's outputs.
func (t *Target) Deploy(ctx context.Context, choices map[string]string) (map[string]string, error) {
	if err := t.cdk(ctx, "bootstrap", "aws://"+t.Account+"/"+t.Region, "--output", filepath.Join(t.Dir, "bootstrap.out")); err != nil {
		return nil, err
	}
	file := filepath.Join(t.Dir, "outputs.json")
	args := append([]string{"deploy", "--require-approval", "never", "--outputs-file", file}, t.flags(choices)...)
	if err := t.cdk(ctx, args...); err != nil {
		return nil, err
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var stacks map[string]map[string]string
	if err := json.Unmarshal(b, &stacks); err != nil {
		return nil, err
	}
	for _, outputs := range stacks {
		return outputs, nil
	}
	return nil, errors.New("the deployed stack has no outputs")
}

// Destroy takes the stack away.
func (t *Target) Destroy(ctx context.Context, choices map[string]string) error {
	return t.cdk(ctx, append([]string{"destroy", "--force"}, t.flags(choices)...)...)
}

func (t *Target) flags(choices map[string]string) []string {
	flags := []string{"--output", filepath.Join(t.Dir, "cdk.out")}
	for name, value := range choices {
		flags = append(flags, "-c", name+"="+value)
	}
	return flags
}
