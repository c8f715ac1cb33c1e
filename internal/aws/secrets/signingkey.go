package awssecrets

import (
	"context"
	"crypto/ed25519"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/internal/ledger"
)

// LedgerKey is the ledger's private key, in a secret: PKCS #8 as PEM. It is read
// for each signature, so that nothing keeps it. It may be used by many
// goroutines at once.
type LedgerKey struct {
	API API
	// Name is the secret's name or ARN.
	Name string
}

func (k *LedgerKey) read(ctx context.Context) (ed25519.PrivateKey, error) {
	out, err := k.API.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &k.Name})
	if err != nil {
		return nil, fmt.Errorf("the ledger's key, secret %q: %w", k.Name, err)
	}
	key, err := ledger.ParsePrivateKey(aws.ToString(out.SecretString))
	if err != nil {
		return nil, fmt.Errorf("secret %q: %w", k.Name, err)
	}
	return key, nil
}

// Public returns the public key.
func (k *LedgerKey) Public(ctx context.Context) (ed25519.PublicKey, error) {
	key, err := k.read(ctx)
	if err != nil {
		return nil, err
	}
	return key.Public().(ed25519.PublicKey), nil
}

// Sign signs a message.
func (k *LedgerKey) Sign(ctx context.Context, message []byte) ([]byte, error) {
	key, err := k.read(ctx)
	if err != nil {
		return nil, err
	}
	return ed25519.Sign(key, message), nil
}
