package awskms

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/efferent/efferent/internal/ledger"
)

// fake is KMS with one key.
type fake struct {
	private ed25519.PrivateKey
	public  any
	asked   int
	err     error
}

func (f *fake) GetPublicKey(_ context.Context, in *sdk.GetPublicKeyInput, _ ...func(*sdk.Options)) (*sdk.GetPublicKeyOutput, error) {
	f.asked++
	if f.err != nil || *in.KeyId != "alias/ledger" {
		return nil, errors.Join(f.err, errors.New("no such key"))
	}
	der, err := x509.MarshalPKIXPublicKey(f.public)
	return &sdk.GetPublicKeyOutput{PublicKey: der, KeySpec: types.KeySpecEccNistEdwards25519}, err
}

func (f *fake) Sign(_ context.Context, in *sdk.SignInput, _ ...func(*sdk.Options)) (*sdk.SignOutput, error) {
	if f.err != nil || in.MessageType != types.MessageTypeRaw || in.SigningAlgorithm != types.SigningAlgorithmSpecEd25519Sha512 {
		return nil, errors.Join(f.err, errors.New("ValidationException"))
	}
	return &sdk.SignOutput{Signature: ed25519.Sign(f.private, in.Message)}, nil
}

func TestSignsCheckpoints(t *testing.T) {
	t.Parallel()
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	f := &fake{private: private, public: private.Public()}
	k := &Key{API: f, ID: "alias/ledger"}
	for range 2 {
		s, err := ledger.NewSigner(t.Context(), "ledger.test/lane-0", k)
		if err != nil {
			t.Fatal(err)
		}
		want := ledger.Checkpoint{Origin: "ledger.test/lane-0", Size: 3, Root: ledger.LeafHash(nil)}
		signed, err := want.Sign(s)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := ledger.OpenCheckpoint(signed, s); err != nil || got != want {
			t.Errorf("got %+v, %v", got, err)
		}
	}
	if f.asked != 1 {
		t.Errorf("the public key was asked for %d times", f.asked)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	denied := errors.New("denied")
	k := &Key{API: &fake{err: denied}, ID: "alias/ledger"}
	if _, err := k.Public(t.Context()); !errors.Is(err, denied) || !strings.Contains(err.Error(), "alias/ledger") {
		t.Errorf("public: %v", err)
	}
	if _, err := k.Sign(t.Context(), nil); !errors.Is(err, denied) || !strings.Contains(err.Error(), "alias/ledger") {
		t.Errorf("sign: %v", err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	k = &Key{API: &fake{public: other.Public()}, ID: "alias/ledger"}
	if _, err := k.Public(t.Context()); err == nil || !strings.Contains(err.Error(), "ECC_NIST_EDWARDS25519") {
		t.Errorf("a key of another kind: %v", err)
	}
}
