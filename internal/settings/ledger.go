package settings

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/efferent/efferent/internal/ledger"
)

// DefaultLedgerKeys is the secret that holds the keys of the ledger's hashes.
const DefaultLedgerKeys = "efferent/ledger/keys"

// Redaction is what the ledger may show of URLs, and where the keys of the
// hashes are that it shows of the rest.
type Redaction struct {
	LedgerKeys      string
	LedgerShowPaths bool
}

func (r *reader) redaction() Redaction {
	return Redaction{
		LedgerKeys:      cmp.Or(r.getenv(LedgerKeysSecret), DefaultLedgerKeys),
		LedgerShowPaths: parsed(r, LedgerShowPaths, parseBool),
	}
}

func parseBool(text string) (bool, error) {
	switch text {
	case "", "false":
		return false, nil
	case "true":
		return true, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", text)
}

// Audit is where the audit Lambda finds its queue and its stores.
type Audit struct {
	AuditQueueURL, LedgerTable, LedgerBucket string
	// FewMetrics is as Sending has it.
	FewMetrics bool
}

// ReadAudit reads the places; each of them is needed.
func ReadAudit(getenv func(string) string) (Audit, error) {
	r := reader{getenv: getenv}
	s := Audit{
		AuditQueueURL: r.needed(AuditQueueURL),
		LedgerTable:   r.needed(LedgerTable),
		LedgerBucket:  r.needed(LedgerBucket),
		FewMetrics:    parsed(&r, Metrics, parseMetrics),
	}
	return s, errors.Join(r.errs...)
}

// Checkpoint is where the checkpoint Lambda finds the ledger and its key.
type Checkpoint struct {
	LedgerTable, LedgerBucket, CheckpointsBucket string
	// KMSKey or KeySecret is where the key is; the other one is empty.
	KMSKey, KeySecret string
	// LedgerKeys is the secret of the keys of the ledger's hashes.
	LedgerKeys string
	Origin     string
	AuditLanes int
}

// ReadCheckpoint reads the settings of the signer.
func ReadCheckpoint(getenv func(string) string) (Checkpoint, error) {
	r := reader{getenv: getenv}
	s := Checkpoint{
		LedgerTable:       r.needed(LedgerTable),
		LedgerBucket:      r.needed(LedgerBucket),
		CheckpointsBucket: r.needed(CheckpointsBucket),
		KMSKey:            getenv(LedgerKMSKey),
		KeySecret:         getenv(LedgerKeySecret),
		LedgerKeys:        cmp.Or(getenv(LedgerKeysSecret), DefaultLedgerKeys),
		AuditLanes:        r.number(AuditLanes, ledger.DefaultLanes, 1, ledger.MaxLanes),
	}
	if r.needed(LedgerOrigin) != "" {
		s.Origin = parsed(&r, LedgerOrigin, parseOrigin)
	}
	if (s.KMSKey == "") == (s.KeySecret == "") {
		r.errs = append(r.errs, fmt.Errorf("set one of the environment variables %s and %s", LedgerKMSKey, LedgerKeySecret))
	}
	return s, errors.Join(r.errs...)
}

// parseOrigin reads what a signed note can have as a key's name.
func parseOrigin(text string) (string, error) {
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == '+' || r > '~' }) || strings.Contains(text, "://") ||
		strings.HasSuffix(text, "/") {
		return "", fmt.Errorf("%q is not a URL without a scheme, such as example.com/efferent/prod", text)
	}
	return text, nil
}
