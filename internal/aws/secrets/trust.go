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

// bundleTime is how long the reading of a bundle may take at most: at the start, for
// which Lambda has 10 s ("Understanding the Lambda execution environment lifecycle").
const bundleTime = 8 * time.Second

// Trust is how to connect where the authorities of a bundle vouch for endpoints,
// besides the machine's own; nil without a bundle. That is a secret, by its name
// under efferent/ or its ARN, or else a file.
func Trust(ctx context.Context, api API, bundle string) (*tls.Config, error) {
	if bundle == "" {
		return nil, nil
	}
	text, err := SecretOrFile(ctx, api, bundle)
	if err != nil {
		return nil, fmt.Errorf("read the certificates of private authorities: %w", err)
	}
	roots, err := webhook.ParseRoots(text)
	if err != nil {
		return nil, fmt.Errorf("the certificates of private authorities, %q: %w", bundle, err)
	}
	return &tls.Config{RootCAs: roots}, nil
}

// Client is a webhook.Client by options that is made once the certificates of a bundle
// are read, where there is one; its errors name the setting that the bundle was given by.
func Client(api API, options webhook.Options, bundle, setting string) *webhook.Late {
	return &webhook.Late{Now: time.Now, Make: func(ctx context.Context) (*webhook.Client, error) {
		var err error
		if options.TLS, err = Trust(ctx, api, bundle); err != nil {
			return nil, fmt.Errorf("environment variable %s: %w", setting, err)
		}
		return webhook.NewClient(options), nil
	}}
}

// IsSecret reports whether a bundle is a secret, and no file.
func IsSecret(bundle string) bool {
	return strings.HasPrefix(bundle, "efferent/") || strings.HasPrefix(bundle, "arn:")
}

// SecretOrFile reads a secret, by its name under efferent/ or its ARN, or else a
// file.
func SecretOrFile(ctx context.Context, api API, where string) (string, error) {
	if !IsSecret(where) {
		b, err := os.ReadFile(where)
		return string(b), err
	}
	ctx, stop := context.WithTimeout(ctx, bundleTime)
	defer stop()
	out, err := api.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &where})
	if err != nil {
		return "", fmt.Errorf("secret %q: %w", where, err)
	}
	return aws.ToString(out.SecretString), nil
}
