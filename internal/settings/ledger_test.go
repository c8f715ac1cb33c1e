package settings

import (
	"strings"
	"testing"
)

func TestReadAudit(t *testing.T) {
	t.Parallel()
	if s, err := ReadAudit(env(AuditQueueURL, "q", LedgerTable, "t", LedgerBucket, "b")); err != nil || s != (Audit{"q", "t", "b", false}) {
		t.Errorf("got %+v, %v", s, err)
	}
	_, err := ReadAudit(env())
	for _, name := range []string{AuditQueueURL, LedgerTable, LedgerBucket} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want it to name %s", err, name)
		}
	}
}

func TestReadCheckpoint(t *testing.T) {
	t.Parallel()
	whole := []string{LedgerTable, "t", LedgerBucket, "b", CheckpointsBucket, "c", LedgerOrigin, "example.com/x"}
	for _, c := range []struct {
		name string
		more []string
		says string
	}{
		{"a KMS key", []string{LedgerKMSKey, "k"}, ""},
		{"a secret", []string{LedgerKeySecret, "s"}, ""},
		{"no key", nil, LedgerKMSKey},
		{"two keys", []string{LedgerKMSKey, "k", LedgerKeySecret, "s"}, LedgerKeySecret},
		{"an origin with a scheme", []string{LedgerKMSKey, "k", LedgerOrigin, "https://example.com"}, LedgerOrigin},
		{"an origin with a space", []string{LedgerKMSKey, "k", LedgerOrigin, "a b"}, LedgerOrigin},
		{"an origin with a plus", []string{LedgerKMSKey, "k", LedgerOrigin, "a+b"}, LedgerOrigin},
		{"no origin", []string{LedgerKMSKey, "k", LedgerOrigin, ""}, LedgerOrigin},
		{"lanes", []string{LedgerKMSKey, "k", AuditLanes, "0"}, AuditLanes},
	} {
		s, err := ReadCheckpoint(func(name string) string {
			for i := 0; i < len(c.more); i += 2 {
				if c.more[i] == name {
					return c.more[i+1]
				}
			}
			return env(whole...)(name)
		})
		if c.says == "" && (err != nil || s.Origin != "example.com/x" || s.AuditLanes != 4 || s.KMSKey+s.KeySecret == "") ||
			c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: got %+v, %v", c.name, s, err)
		}
	}
}
