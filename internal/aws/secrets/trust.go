package awssecrets

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/internal/webhook"
)

// bundleTime is how long the reading of a bundle may take: it is at the start.
const bundleTime = 8 * time.Second

// Trust is how to connect where the authorities of a bundle vouch for endpoints,
// besides the machine's own; nil without a bundle. That is a secret, by its name
// under efferent/ or its ARN, or else a file. It is read now, and never again.
func Trust(api API, bundle string) (*tls.Config, error) {
	if bundle == "" {
		return nil, nil
	}
	text, err := readBundle(api, bundle)
	if err != nil {
		return nil, fmt.Errorf("read the certificates of private authorities: %w", err)
	}
	roots, err := webhook.ParseRoots(text)
	if err != nil {
		return nil, fmt.Errorf("the certificates of private authorities, %q: %w", bundle, err)
	}
	return &tls.Config{RootCAs: roots}, nil
}

func readBundle(api API, bundle string) (string, error) {
	if !strings.HasPrefix(bundle, "efferent/") && !strings.HasPrefix(bundle, "arn:") {
		b, err := os.ReadFile(bundle)
		return string(b), err
	}
	ctx, stop := context.WithTimeout(context.Background(), bundleTime)
	defer stop()
	out, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &bundle})
	if err != nil {
		return "", fmt.Errorf("secret %q: %w", bundle, err)
	}
	return aws.ToString(out.SecretString), nil
}
