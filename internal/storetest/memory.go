package storetest

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/pace"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/suppression"
)

// Memory keeps attempts, the index of their failures, claims, the waiting room,
// circuits, endpoints, paces, secrets and suppressed addresses in memory, for the tests of those who need a store: a fake
// that breaks no promise, since it passes the suites. Faults are for whoever wraps it. The zero
// Memory is empty.
type Memory struct {
	mu        sync.Mutex
	records   map[recordKey]attempt.Record
	ofWebhook map[string][]recordKey
	forgotten map[recordKey]bool
	claims    map[itemKey]claim.Claim
	room      room
	circuits  map[string]circuit.State
	endpoints endpoints
	events    events
	paces     map[string]pace.State
	secrets   map[string]*memorySecret
	// recipients are those of the directory.
	recipients   map[recipient.Key]recipient.Recipient
	templates    templates
	suppressions map[suppression.Key]suppression.Kept
}

type recordKey struct{ webhookID, sortKey string }

type itemKey struct{ queue, id string }

func keyOf(r attempt.Record) recordKey { return recordKey{r.WebhookID, r.SortKey()} }

// Put is as attempt.Store has it.
func (m *Memory) Put(_ context.Context, records []attempt.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.records == nil {
		m.records, m.forgotten, m.ofWebhook = map[recordKey]attempt.Record{}, map[recordKey]bool{}, map[string][]recordKey{}
	}
	for _, r := range records {
		kept, ok := m.records[keyOf(r)]
		switch {
		case !ok:
			m.ofWebhook[r.WebhookID] = append(m.ofWebhook[r.WebhookID], keyOf(r))
		case kept.Verdict.Rank() > r.Verdict.Rank():
			continue
		}
		r.FailedChannels = slices.Clone(r.FailedChannels)
		m.records[keyOf(r)] = r
		delete(m.forgotten, keyOf(r))
	}
	return nil
}

// OfMessage is as attempt.Store has it.
func (m *Memory) OfMessage(_ context.Context, webhookID, messageID string) ([]attempt.Record, error) {
	return m.of(webhookID, attempt.SortKeyPrefix(messageID)), nil
}

// OfWebhook is as attempt.Store has it.
func (m *Memory) OfWebhook(_ context.Context, webhookID string) ([]attempt.Record, error) {
	return m.of(webhookID, ""), nil
}

func (m *Memory) of(webhookID, prefix string) (of []attempt.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, k := range m.ofWebhook[webhookID] {
		if strings.HasPrefix(k.sortKey, prefix) {
			of = append(of, m.records[k])
		}
	}
	slices.SortFunc(of, func(a, b attempt.Record) int { return cmp.Compare(a.SortKey(), b.SortKey()) })
	return of
}

// NewestFailures gives the failures of a queue, newest first, without their
// responses.
func (m *Memory) NewestFailures(_ context.Context, queue string, from, before attempt.Position, limit int) (newest []attempt.Record,
	err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for k, r := range m.records {
		p := r.Position()
		if deadletter.QueueOf(r) == queue && !m.forgotten[k] && !p.Before(from) && (before == "" || p.Before(before)) {
			r.Response = ""
			newest = append(newest, r)
		}
	}
	slices.SortFunc(newest, func(a, b attempt.Record) int { return cmp.Compare(b.Position(), a.Position()) })
	return newest[:min(limit, len(newest))], nil
}

// NewestOfEndpoint is as attempt.OfEndpoints has it.
func (m *Memory) NewestOfEndpoint(_ context.Context, endpoint string, from, before attempt.Position, limit int) (newest []attempt.Record,
	err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range m.records {
		p := r.Position()
		if endpoint != "" && r.Endpoint == endpoint && !p.Before(from) && (before == "" || p.Before(before)) {
			newest = append(newest, r)
		}
	}
	slices.SortFunc(newest, func(a, b attempt.Record) int { return cmp.Compare(b.Position(), a.Position()) })
	return newest[:min(limit, len(newest))], nil
}

// ForgetFailures takes failures out of the index.
func (m *Memory) ForgetFailures(_ context.Context, records []attempt.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range records {
		if _, ok := m.records[keyOf(r)]; ok {
			m.forgotten[keyOf(r)] = true
		}
	}
	return nil
}

// Forgotten is how many failures are not in the index any more.
func (m *Memory) Forgotten() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.forgotten)
}

// Remember puts every failure into the index again.
func (m *Memory) Remember() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.forgotten)
}

// TakeClaim is as claim.Store has it.
func (m *Memory) TakeClaim(_ context.Context, c claim.Claim) (other claim.Claim, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if held, ok := m.claims[itemKey{c.Queue, c.ItemID}]; ok && held.Blocks(c) {
		return held, fmt.Errorf("item %s of %s: %w", c.ItemID, c.Queue, claim.ErrTaken)
	}
	m.put(c)
	return claim.Claim{}, nil
}

// PutClaim is as claim.Store has it.
func (m *Memory) PutClaim(_ context.Context, c claim.Claim) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(c)
	return nil
}

func (m *Memory) put(c claim.Claim) {
	if m.claims == nil {
		m.claims = map[itemKey]claim.Claim{}
	}
	m.claims[itemKey{c.Queue, c.ItemID}] = c
}

// DropClaim is as claim.Store has it.
func (m *Memory) DropClaim(_ context.Context, c claim.Claim) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := itemKey{c.Queue, c.ItemID}
	if held, ok := m.claims[key]; ok && held.Token == c.Token && !held.Settled {
		delete(m.claims, key)
	}
	return nil
}

// ClaimsOn gives the claims on these items, once each.
func (m *Memory) ClaimsOn(_ context.Context, queue string, itemIDs []string) (on []claim.Claim, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range slices.Compact(slices.Sorted(slices.Values(itemIDs))) {
		if c, ok := m.claims[itemKey{queue, id}]; ok {
			on = append(on, c)
		}
	}
	return on, nil
}

// Claims are all that there are, in no order.
func (m *Memory) Claims() []claim.Claim {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Values(m.claims))
}
