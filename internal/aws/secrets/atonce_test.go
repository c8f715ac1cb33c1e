package awssecrets

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/signingkey"
)

// TestManyWritersAtOnce: of the keys that many set in one secret at once, through
// the SDK, none is lost, and so with the key that each of them rotates.
func TestManyWritersAtOnce(t *testing.T) {
	t.Parallel()
	const writers, secret = 12, "efferent/webhooks/acme"
	store := &Versions{overHTTP(t, nil)}
	var all sync.WaitGroup
	for n := range writers {
		all.Go(func() {
			own := fmt.Sprint("ep", n)
			for step, made := range []func(text string) (string, error){
				func(text string) (string, error) { return signingkey.Put(text, own, "first") },
				func(text string) (string, error) {
					return signingkey.Rotate(text, own, "second", at, signingkey.MaxGrace)
				},
			} {
				_, err := rotation.Change(t.Context(), store, secret, func(old rotation.Version) (string, error) { return made(old.Text) })
				if err != nil {
					t.Errorf("writer %d, step %d: %v", n, step, err)
				}
			}
		})
	}
	all.Wait()
	v, err := store.ReadVersion(t.Context(), secret, rotation.Current)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := signingkey.Parse(v.Text)
	if err != nil || len(keys.Names()) != writers {
		t.Fatalf("%d keys: %v", len(keys.Names()), err)
	}
	want := signingkey.Key{Current: "second", Previous: "first", Until: at.Add(signingkey.MaxGrace), Historic: true}
	for _, own := range keys.Names() {
		if key, err := keys.Key(own); err != nil || !cmp.Equal(key, want) {
			t.Errorf("%s: %v, until %v", own, err, key.Until)
		}
	}
}

// TestLostAnswers: Secrets Manager does what it is asked, and the answer is lost;
// the SDK asks again. The change is made once all the same.
func TestLostAnswers(t *testing.T) {
	t.Parallel()
	const secret = "efferent/webhooks/acme"
	for _, before := range []string{"", "old"} {
		for lost := int64(1); lost <= 6; lost++ {
			t.Run(fmt.Sprintf("the answer of call %d, on %q", lost, before), func(t *testing.T) {
				t.Parallel()
				var calls, from atomic.Int64
				store := &Versions{overHTTP(t, func(next http.Handler) http.Handler {
					return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						if calls.Add(1) != from.Load()+lost {
							next.ServeHTTP(w, r)
							return
						}
						next.ServeHTTP(nowhere{http.Header{}}, r)
						panic(http.ErrAbortHandler)
					})
				})}
				change := func(text string) (rotation.Version, error) {
					return rotation.Change(t.Context(), store, secret, func(old rotation.Version) (string, error) { return old.Text + text, nil })
				}
				from.Store(1000)
				if before != "" {
					if _, err := change(before); err != nil {
						t.Fatal(err)
					}
				}
				from.Store(calls.Load())
				if _, err := change("+"); err != nil {
					t.Fatal(err)
				}
				v, err := store.ReadVersion(t.Context(), secret, rotation.Current)
				if err != nil || v.Text != before+"+" || strings.Count(v.Text, "+") != 1 {
					t.Errorf("it holds %q, %v", v.Text, err)
				}
			})
		}
	}
}

// nowhere is where a lost answer goes.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) Write(b []byte) (int, error) { return len(b), nil }
func (n nowhere) WriteHeader(int)             {}
