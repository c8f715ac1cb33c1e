package dev

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/webhook"
)

// testGrace is long against the second in which dev sees a new secret.
const testGrace = 5 * time.Second

// rotations are the ways to rotate: of `ref`, which old signs, to the new key.
var rotations = map[string]struct {
	key    string
	rotate func(t *testing.T, s *commandtest.Running, name, key string) (until time.Time)
}{
	"a whole secret": {"", func(t *testing.T, s *commandtest.Running, name, key string) time.Time {
		return putVersion(s, t, name, key).Add(testGrace)
	}},
	"a key with a history": {"#a", func(t *testing.T, s *commandtest.Running, name, key string) time.Time {
		text, err := signingkey.Rotate(secretText(s, t, name), "a", key, time.Now(), testGrace)
		if err != nil {
			t.Fatal(err)
		}
		putVersion(s, t, name, text)
		o, _ := signingkey.Parse(text)
		k, _ := o.Key("a")
		return k.Until
	}},
	"a key by hand": {"#a", func(t *testing.T, s *commandtest.Running, name, key string) time.Time {
		text, err := signingkey.Put(secretText(s, t, name), "a", key)
		if err != nil {
			t.Fatal(err)
		}
		return putVersion(s, t, name, text).Add(testGrace)
	}},
}

func secretText(s *commandtest.Running, t *testing.T, name string) string {
	t.Helper()
	out, err := s.Secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err != nil {
		t.Fatal(err)
	}
	return *out.SecretString
}

// putVersion makes a text the current one, and tells when.
func putVersion(s *commandtest.Running, t *testing.T, name, text string) time.Time {
	t.Helper()
	if _, err := s.Secrets.PutSecretValue(t.Context(), &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &text}); err != nil {
		t.Fatal(err)
	}
	out, err := s.Secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &name})
	if err != nil {
		t.Fatal(err)
	}
	return *out.CreatedDate
}

// TestRotationUnderLoad rotates while messages are sent. A receiver that has the
// old key takes all that is signed in the grace. Once the new one is seen to
// sign, who has that takes everything, and X-Webhook-Signature is of that one.
// After the grace nothing is signed by the old one. What is in the grace is told
// by each request's own timestamp.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	for label, way := range rotations {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			s := startWith(t, ":memory:", map[string]string{settings.SecretGrace: testGrace.String()})
			l := &load{t: t, s: s, e: scenario.NewEndpoint(t, scenario.OK), ref: scenario.SecretName + way.key}
			l.next = webhook.NewSecret("")
			first := l.next
			if way.key != "" {
				first = fmt.Sprintf(`{"b": 1, "a": %q}`, l.next)
			}
			s.PutSecret(t, scenario.SecretName, first)
			for !l.both { // on a machine that stood still for the whole grace, once more
				l.round = round{old: l.next, next: webhook.NewSecret(""), phase: "before"}
				l.until(func() bool { return l.arrived >= 200 })
				l.ends = way.rotate(t, s, scenario.SecretName, l.next)
				l.until(func() bool { return l.over >= 200 })
				l.phase = "" // nothing more is sent
				l.until(func() bool { return l.inFlight == 0 })
			}
		})
	}
}

// load keeps messages in flight, and looks at each that arrives.
type load struct {
	t        *testing.T
	s        *commandtest.Running
	e        *scenario.Endpoint
	ref      string
	sent     int
	inFlight int
	round
}

// round is one rotation.
type round struct {
	old, next string
	ends      time.Time // of the grace; zero before the rotation
	phase     string    // of what is sent: before, or after the new key was seen to sign
	arrived   int
	over      int  // those of phase after that are of after the grace
	both      bool // such were seen that are of within
}

// until sends until enough is so.
func (l *load) until(enough func() bool) {
	l.t.Helper()
	for !enough() {
		if l.phase != "" && l.inFlight < 100 {
			l.send()
		}
		select {
		case id := <-l.e.Seen:
			l.inFlight--
			l.arrived++
			l.look(id, l.e.Arrivals(id)[0])
		case <-time.After(commandtest.Soon):
			l.t.Fatalf("nothing more arrives; %d are in flight", l.inFlight)
		}
	}
}

func (l *load) send() {
	var texts []string
	for range 10 {
		l.sent++
		text := scenario.Text(fmt.Sprintf("%s-%d", l.phase, l.sent), l.e.URL)
		texts = append(texts, strings.Replace(text, scenario.SecretName, l.ref, 1))
	}
	l.s.Send(l.t, texts...)
	l.inFlight += len(texts)
}

// look holds an arrival to the rules. One of the second in which the grace ends
// may be either.
func (l *load) look(id string, a scenario.Arrival) {
	seconds, _ := strconv.ParseInt(a.Header.Get("webhook-timestamp"), 10, 64)
	within := l.ends.IsZero() || seconds < l.ends.Unix()
	byOld, byNew := a.Accepts(l.t, l.old), a.Accepts(l.t, l.next)
	if within && byOld != nil {
		l.t.Errorf("%s, in the grace, by the old key: %v", id, byOld)
	}
	if !strings.HasPrefix(id, "after") {
		if byNew == nil && l.phase != "" {
			l.phase = "after"
		}
		return
	}
	a.Verify(l.t, l.next)
	l.both = l.both || within
	if seconds > l.ends.Unix() {
		l.over++
		if byOld == nil {
			l.t.Errorf("%s, after the grace, is signed by the old key", id)
		}
	}
}

// TestKeysOfOneSecretRotateAtOnce: two keys of a secret are rotated and a third is
// added, all at the same time. Receivers of the two go on with either key.
func TestKeysOfOneSecretRotateAtOnce(t *testing.T) {
	t.Parallel()
	s, e := startData(t, ":memory:"), scenario.NewEndpoint(t, scenario.OK)
	fresh := func() string { return webhook.NewSecret("") }
	a, b, newA, newB, c := fresh(), fresh(), fresh(), fresh(), fresh()
	s.PutSecret(t, scenario.SecretName, fmt.Sprintf(`{"a": %q, "b": %q}`, a, b))
	arrives := func(key string) scenario.Arrival {
		t.Helper()
		id := fmt.Sprintf("%s-%d", key, time.Now().UnixNano())
		s.Send(t, strings.Replace(scenario.Text(id, e.URL), scenario.SecretName, scenario.SecretName+"#"+key, 1))
		s.Attempts(t, id)
		return e.Arrivals(id)[0]
	}
	arrives("a").Verify(t, a) // what is cached is old

	var all sync.WaitGroup
	for _, args := range [][]string{{"rotate", "--dev", "#a", newA}, {"rotate", "--dev", "#b", newB}, {"put", "--dev", "#c", c}} {
		args[2] = scenario.SecretName + args[2]
		all.Go(func() {
			if _, stderr, err := s.Command("", append([]string{"secret"}, args...)...); err != nil {
				t.Errorf("%v: %s", err, stderr)
			}
		})
	}
	all.Wait()
	for end := time.Now().Add(commandtest.Soon); arrives("a").Accepts(t, newA) != nil; {
		if time.Now().After(end) {
			t.Fatal("the new key does not sign")
		}
	}
	for key, signs := range map[string][]string{"a": {newA, a}, "b": {newB, b}, "c": {c}} {
		got := arrives(key)
		got.Verify(t, signs[0])
		if err := got.Accepts(t, signs[len(signs)-1]); err != nil {
			t.Errorf("%s, by the key before: %v", key, err)
		}
		if n := len(strings.Fields(got.Header.Get("webhook-signature"))); n != len(signs) {
			t.Errorf("%s has %d signatures, want %d", key, n, len(signs))
		}
	}
}

// TestDevReadsSecretsOften, unless it is told how often.
func TestDevReadsSecretsOften(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"": time.Second, "5m": 5 * time.Minute} {
		d, err := localDelivery(func(name string) string { return map[string]string{settings.SecretTTL: text}[name] })
		if err != nil || d.SecretTTL != want {
			t.Errorf("%q: %v, %v", text, d.SecretTTL, err)
		}
	}
}
