// Package awskms signs with a key that never leaves AWS KMS.
package awskms

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"fmt"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
)

// API is what signing takes.
type API interface {
	GetPublicKey(context.Context, *sdk.GetPublicKeyInput, ...func(*sdk.Options)) (*sdk.GetPublicKeyOutput, error)
	Sign(context.Context, *sdk.SignInput, ...func(*sdk.Options)) (*sdk.SignOutput, error)
}

// Key is a key of the spec ECC_NIST_EDWARDS25519 and the usage SIGN_VERIFY
// ("Key spec reference" in the KMS developer guide). It may be used by many
// goroutines at once.
type Key struct {
	API API
	// ID is the key's id, ARN or alias.
	ID string

	mu     sync.Mutex
	public ed25519.PublicKey
}

// Public returns the public key; KMS is asked once.
func (k *Key) Public(ctx context.Context) (ed25519.PublicKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.public != nil {
		return k.public, nil
	}
	out, err := k.API.GetPublicKey(ctx, &sdk.GetPublicKeyInput{KeyId: &k.ID})
	if err != nil {
		return nil, fmt.Errorf("the public key of KMS key %s: %w", k.ID, err)
	}
	parsed, err := x509.ParsePKIXPublicKey(out.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("the public key of KMS key %s: %w", k.ID, err)
	}
	public, ok := parsed.(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("KMS key %s is a %T: its spec has to be %s", k.ID, parsed, types.KeySpecEccNistEdwards25519)
	}
	k.public = public
	return public, nil
}

// Sign signs a message of up to 4096 bytes with Ed25519: KMS takes it RAW, and
// not its hash, which would be Ed25519ph.
func (k *Key) Sign(ctx context.Context, message []byte) ([]byte, error) {
	out, err := k.API.Sign(ctx, &sdk.SignInput{
		KeyId: &k.ID, Message: message, MessageType: types.MessageTypeRaw, SigningAlgorithm: types.SigningAlgorithmSpecEd25519Sha512,
	})
	if err != nil {
		return nil, fmt.Errorf("sign with KMS key %s: %w", k.ID, err)
	}
	return out.Signature, nil
}
