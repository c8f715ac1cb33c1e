package dev

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/cmd/efferent/assembly"
	awssecrets "github.com/efferent/efferent/internal/aws/secrets"
	"github.com/efferent/efferent/internal/handlers/checkpoint"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/settings"
)

const (
	// ledgerKeySecret is the secret that holds the key that signs checkpoints.
	ledgerKeySecret = "efferent/ledger/key"
	// signEvery is how often the ledger is signed.
	signEvery = 5 * time.Minute
)

// localSecrets is what making and using the ledger's key takes.
type localSecrets interface {
	awssecrets.VersionsAPI
}

// localSigner wires the handler that the checkpoint Lambda runs. The first
// start makes its key; the key names the ledger. The keys of the ledger's hashes
// are made by every start, before anything is sent.
func localSigner(ctx context.Context, kept LedgerStore, secrets localSecrets, s settings.Sending, log *slog.Logger) (
	*checkpoint.Handler, error) {
	name := ledgerKeySecret
	_, err := secrets.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &name})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		var text string
		if text, err = ledger.NewPrivateKey(); err == nil {
			err = awssecrets.Put(ctx, secrets, name, text)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("the ledger's key: %w", err)
	}
	key := &awssecrets.LedgerKey{API: secrets, Name: name}
	public, err := key.Public(ctx)
	if err != nil {
		return nil, err
	}
	hash := sha256.Sum256(public)
	named := ledger.PublicKey{Origin: fmt.Sprintf("localhost/efferent-%x", hash[:4]), Key: public}
	// For people; nothing reads it.
	if err := kept.Replace(ctx, "key.pub", []byte(named.String()+"\n")); err != nil {
		return nil, err
	}
	h, err := checkpoint.New(checkpoint.Needs{
		Ledger: kept, Tiles: kept, Kept: ledger.Kept{Objects: kept}, Key: key, Origin: named.Origin, Lanes: s.AuditLanes,
		MonthKeys: &awssecrets.MonthKeys{API: secrets, Name: s.LedgerKeys}, Now: time.Now, Log: log,
	})
	if err != nil {
		return nil, err
	}
	return h, h.MakeKeys(ctx)
}

// signByTheClock signs at once and then every five minutes, until ctx ends. The
// handler logs what went wrong.
func signByTheClock(ctx context.Context, h *checkpoint.Handler, clock clockwork.Clock) {
	assembly.ByTheClock(ctx, clock, signEvery, func(ctx context.Context) { _ = h.Handle(ctx) })
}
