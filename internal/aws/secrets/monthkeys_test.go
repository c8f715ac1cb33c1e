package awssecrets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/localaws/secretserver"
)

const keysSecret = "efferent/ledger/keys"

// noStore keeps nothing: the server has it in memory.
type noStore struct{}

func (noStore) LoadSecrets(context.Context) ([]secretserver.Secret, error) { return nil, nil }
func (noStore) PutSecret(context.Context, secretserver.Secret) error       { return nil }
func (noStore) DeleteSecret(context.Context, string) error                 { return nil }

// vault is a Secrets Manager whose nth call goes wrong.
type vault struct {
	*secretserver.Server
	mu     sync.Mutex
	calls  int
	faulty int
	// effect: the call had its effect, though it is said to have failed.
	effect bool
	// before is run ahead of the nth call: somebody else is faster.
	before map[int]func()
}

func newVault(t *testing.T) *vault {
	t.Helper()
	s, err := secretserver.Open(t.Context(), noStore{}, secretserver.Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return &vault{Server: s}
}

func (v *vault) call(do func() error) error {
	v.mu.Lock()
	v.calls++
	before, hit := v.before[v.calls], v.calls == v.faulty
	v.mu.Unlock()
	if before != nil {
		before()
	}
	if hit && !v.effect {
		return errDown
	}
	err := do()
	if hit {
		err = errDown
	}
	return err
}

var errDown = errors.New("down")

type options = func(*secretsmanager.Options)

func (v *vault) GetSecretValue(ctx context.Context, in *secretsmanager.GetSecretValueInput, _ ...options) (
	out *secretsmanager.GetSecretValueOutput, err error) {
	err = v.call(func() error { out, err = v.Server.GetSecretValue(ctx, in); return err })
	return out, err
}

func (v *vault) CreateSecret(ctx context.Context, in *secretsmanager.CreateSecretInput, _ ...options) (
	out *secretsmanager.CreateSecretOutput, err error) {
	err = v.call(func() error { out, err = v.Server.CreateSecret(ctx, in); return err })
	return out, err
}

func (v *vault) PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput, _ ...options) (
	out *secretsmanager.PutSecretValueOutput, err error) {
	err = v.call(func() error { out, err = v.Server.PutSecretValue(ctx, in); return err })
	return out, err
}

func (v *vault) UpdateSecretVersionStage(ctx context.Context, in *secretsmanager.UpdateSecretVersionStageInput, _ ...options) (
	out *secretsmanager.UpdateSecretVersionStageOutput, err error) {
	err = v.call(func() error { out, err = v.Server.UpdateSecretVersionStage(ctx, in); return err })
	return out, err
}

// put makes the secret what it is, by whoever does so; empty: without a value.
func (v *vault) put(t *testing.T, value string) {
	t.Helper()
	in := &secretsmanager.CreateSecretInput{Name: aws.String(keysSecret)}
	if value != "" {
		in.SecretString = &value
	}
	_, err := v.Server.CreateSecret(t.Context(), in)
	if err != nil && value != "" {
		_, err = v.Server.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: in.Name, SecretString: &value})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// holds is what the secret has.
func (v *vault) holds(t *testing.T) (all map[string]string) {
	t.Helper()
	out, err := v.Server.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String(keysSecret)})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(*out.SecretString), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// usable fails the test where a month has no key.
func usable(t *testing.T, all map[string]string, months ...string) {
	t.Helper()
	for _, month := range months {
		r, err := new(Redactors).make(source{text: all[month]})
		if err != nil || r.Recipient("ann") == ledger.NewRedactor(nil, false).Recipient("ann") {
			t.Errorf("the key of %s: %v", month, err)
		}
	}
}

// TestMakeKeys makes the keys of two months, with a fault in each of its calls,
// and once more after it.
func TestMakeKeys(t *testing.T) {
	t.Parallel()
	for label, before := range map[string]string{
		"no secret": "none", "a secret without a value": "", "an empty one": "{}",
		"one with a month and a remark": `{"2026-10":"AAAA","2026-11":"kept as it is","by":"ann"}`,
	} {
		for fault := range 5 {
			for _, effect := range []bool{false, true} {
				t.Run(fmt.Sprint(label, ", fault in call ", fault, ", with effect ", effect), func(t *testing.T) {
					t.Parallel()
					v := newVault(t)
					if before != "none" {
						v.put(t, before)
					}
					v.faulty, v.effect = fault, effect
					k := &MonthKeys{API: v, Name: keysSecret}
					err := k.Make(t.Context(), "2026-11", "2026-12")
					// One fault is borne, but where nothing was begun.
					if hit := fault == 1; hit != (err != nil) || hit && !errors.Is(err, errDown) {
						t.Errorf("got %v", err)
					}
					v.faulty = 0
					if err := k.Make(t.Context(), "2026-11", "2026-12"); err != nil {
						t.Fatal(err)
					}
					all, calls := v.holds(t), v.calls
					usable(t, all, "2026-12")
					if strings.HasPrefix(before, `{"2`) {
						if all["2026-10"] != "AAAA" || all["2026-11"] != "kept as it is" || all["by"] != "ann" {
							t.Errorf("it holds %v", all)
						}
					} else {
						usable(t, all, "2026-11")
					}
					if err := k.Make(t.Context(), "2026-12", "2026-11"); err != nil || v.calls != calls+1 {
						t.Errorf("with all there, %d more calls; %v", v.calls-calls, err)
					}
				})
			}
		}
	}
}

// TestSomebodyIsFaster: what somebody else puts ahead of any call is not lost,
// and a key that was there is never replaced.
func TestSomebodyIsFaster(t *testing.T) {
	t.Parallel()
	for call := 1; call <= 4; call++ {
		for _, before := range []string{"none", "", "{}"} {
			t.Run(fmt.Sprintf("ahead of call %d, on %q", call, before), func(t *testing.T) {
				t.Parallel()
				v := newVault(t)
				if before != "none" {
					v.put(t, before)
				}
				v.before = map[int]func(){call: func() { v.put(t, `{"2026-11":"theirs","2026-09":"theirs"}`) }}
				if err := (&MonthKeys{API: v, Name: keysSecret}).Make(t.Context(), "2026-11", "2026-12"); err != nil {
					t.Fatal(err)
				}
				if v.calls < call || before == "" && call == 3 {
					return // it was done before; the first version is the current one at once
				}
				all := v.holds(t)
				usable(t, all, "2026-12")
				if all["2026-11"] != "theirs" || all["2026-09"] != "theirs" {
					t.Errorf("it holds %v", all)
				}
			})
		}
	}
}

// TestManyMakers: eight at once make keys of the same month and of others, and
// whoever was told that a key is there finds that very key later.
func TestManyMakers(t *testing.T) {
	t.Parallel()
	v := newVault(t)
	var all sync.WaitGroup
	seen := make([]string, 8)
	for n := range seen {
		all.Go(func() {
			own := fmt.Sprintf("2027-%02d", n+1)
			k := &MonthKeys{API: v, Name: keysSecret}
			for k.Make(t.Context(), "2026-11", own) != nil { // others were faster too often
			}
			seen[n] = v.holds(t)["2026-11"] + v.holds(t)[own]
		})
	}
	all.Wait()
	end := v.holds(t)
	for n, keys := range seen {
		own := fmt.Sprintf("2027-%02d", n+1)
		usable(t, end, own)
		if keys != end["2026-11"]+end[own] {
			t.Errorf("the keys of maker %d have changed", n)
		}
	}
}

func TestKeysInWhatIsNoObject(t *testing.T) {
	t.Parallel()
	for _, value := range []string{"topsecret", "[]", "null", `{"a":1,"a":2}`} {
		v := newVault(t)
		v.put(t, value)
		err := (&MonthKeys{API: v, Name: keysSecret}).Make(t.Context(), "2026-11")
		if err == nil || !strings.Contains(err.Error(), keysSecret) || strings.Contains(err.Error(), "topsecret") || v.calls != 1 {
			t.Errorf("%s: got %v", value, err)
		}
	}
}
