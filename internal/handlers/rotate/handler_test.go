package rotate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/need"
	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/webhook"
)

const arn = "efferent/webhooks/acme"

var (
	noon    = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	errDown = errors.New("down")
)

// manager is a Secrets Manager that has a secret rotated. A call may go wrong.
type manager struct {
	storetest.Memory
	t     *testing.T
	calls int
	// faulty is the call that goes wrong, and fault how.
	faulty int
	fault  fault
	now    time.Time
	token  string // of the rotation that runs
	rounds int    // how often it was begun
	log    strings.Builder
	handle *Handler
}

// fault is what becomes of a call.
type fault int

const (
	fails    fault = iota
	effect         // it has its effect, and fails
	repeated       // its answer was lost, and the SDK asked again
)

func newManager(t *testing.T, text string) *manager {
	t.Helper()
	m := &manager{t: t, now: noon, token: uuid.NewString()}
	if text != "" {
		m.put(text)
	}
	var err error
	m.handle, err = New(Needs{
		Secrets: m, Grace: time.Hour, Now: func() time.Time { return m.now }, Log: slog.New(slog.NewTextHandler(&m.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// put is somebody else's change.
func (m *manager) put(text string) {
	m.t.Helper()
	if _, err := rotation.Change(m.t.Context(), &m.Memory, arn, func(rotation.Version) (string, error) { return text, nil }); err != nil {
		m.t.Fatal(err)
	}
}

func (m *manager) call(do func() error) error {
	m.calls++
	hit := m.calls == m.faulty
	if hit && m.fault == fails {
		return errDown
	}
	err := do()
	switch {
	case hit && m.fault == effect:
		return errDown
	case hit && m.fault == repeated:
		return do()
	}
	return err
}

func (m *manager) ReadVersion(ctx context.Context, secret, label string) (v rotation.Version, err error) {
	err = m.call(func() error { v, err = m.Memory.ReadVersion(ctx, secret, label); return err })
	return v, err
}

func (m *manager) AddVersion(ctx context.Context, secret string, v rotation.Version, labels ...string) error {
	return m.call(func() error { return m.Memory.AddVersion(ctx, secret, v, labels...) })
}

func (m *manager) MoveLabel(ctx context.Context, secret, label, from, to string) error {
	return m.call(func() error { return m.Memory.MoveLabel(ctx, secret, label, from, to) })
}

// VersionLabels has what Secrets Manager puts there before the first step: a
// version with Pending, and without a value.
func (m *manager) VersionLabels(ctx context.Context, secret string) (all map[string][]string, err error) {
	err = m.call(func() error { all, err = m.Memory.VersionLabels(ctx, secret); return err })
	if _, err := m.Memory.ReadVersion(ctx, secret, rotation.Pending); all != nil && err != nil && all[m.token] == nil && m.token != "" {
		all[m.token] = []string{rotation.Pending}
	}
	return all, err
}

func (m *manager) step(name string) error {
	return m.handle.Handle(m.t.Context(), Event{name, arn, m.token})
}

// rotate takes all steps, from the first one on where one fails, as Secrets
// Manager does.
func (m *manager) rotate() (err error) {
	for m.rounds = 1; m.rounds <= 3; m.rounds++ {
		for _, name := range []string{"createSecret", "setSecret", "testSecret", "finishSecret"} {
			if err = m.step(name); err != nil {
				break
			}
		}
		if err == nil || errors.Is(err, ErrEnded) {
			return err
		}
	}
	return err
}

func (m *manager) text(label string) string {
	v, _ := m.Memory.ReadVersion(m.t.Context(), arn, label)
	return v.Text
}

// left is the labels that there are, but for those of Secrets Manager itself.
func (m *manager) left() (all []string) {
	labels, _ := m.Memory.VersionLabels(m.t.Context(), arn)
	for _, own := range labels {
		for _, label := range own {
			if !became([]string{label}) && label != "efferent-next" {
				all = append(all, label)
			}
		}
	}
	return all
}

func TestRotation(t *testing.T) {
	t.Parallel()
	shared, private := webhook.NewSecret(""), webhook.NewSecret("whsk_")
	m := newManager(t, shared)
	if err := m.rotate(); err != nil {
		t.Fatal(err)
	}
	if now := m.text(rotation.Current); now == shared || !strings.HasPrefix(now, "whsec_") || m.text(rotation.Previous) != shared ||
		m.left() != nil {
		t.Errorf("one key: %.6s, after it %v", now, m.left())
	}
	m = newManager(t, `{"a": "`+shared+`", "b": "`+private+`", "by": "ann"}`)
	if err := m.rotate(); err != nil {
		t.Fatal(err)
	}
	keys, err := signingkey.Parse(m.text(rotation.Current))
	a, _ := keys.Key("a")
	b, _ := keys.Key("b")
	if err != nil || a.Previous != shared || b.Previous != private || !a.Until.Equal(noon.Add(time.Hour)) ||
		a.Current == shared || b.Current == private {
		t.Errorf("two keys: %v, %v", err, keys.Names())
	}
	if strings.Contains(m.log.String(), shared[6:]) || !strings.Contains(m.log.String(), m.token) {
		t.Errorf("logged: %s", m.log.String())
	}
}

// TestEachStepTwice: a step that comes again, now or late, changes nothing.
func TestEachStepTwice(t *testing.T) {
	t.Parallel()
	m := newManager(t, webhook.NewSecret(""))
	var made string
	for _, name := range []string{"createSecret", "createSecret", "setSecret", "testSecret", "testSecret", "createSecret", "finishSecret"} {
		if err := m.step(name); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if now := m.text(rotation.Pending); made != "" && now != made && name != "finishSecret" {
			t.Fatalf("%s made it anew", name)
		} else if name != "finishSecret" {
			made = now
		}
	}
	for _, name := range []string{"finishSecret", "createSecret", "testSecret"} {
		if err := m.step(name); err != nil || m.text(rotation.Current) != made {
			t.Errorf("%s after the end: %v", name, err)
		}
	}
	m.put("somebody's next one, long enough")
	if err := m.step("finishSecret"); err != nil || m.text(rotation.Previous) != made {
		t.Errorf("late: %v", err)
	}
}

// TestFaults: whatever one call does, the rotation is made, and once.
func TestFaults(t *testing.T) {
	t.Parallel()
	for call := 1; call <= 16; call++ {
		for _, how := range []struct {
			fault
			name string
		}{{fails, "fails"}, {effect, "has its effect and fails"}, {repeated, "is repeated"}} {
			t.Run(fmt.Sprint("call ", call, " ", how.name), func(t *testing.T) {
				t.Parallel()
				old := webhook.NewSecret("")
				m := newManager(t, old)
				m.faulty, m.fault = call, how.fault
				if err := m.rotate(); err != nil {
					t.Fatal(err)
				}
				if how.fault == repeated && m.rounds > 1 {
					t.Error("a call that was repeated failed")
				}
				if now := m.text(rotation.Current); now == old || m.text(rotation.Previous) != old || m.left() != nil {
					t.Errorf("it was changed to %.6s; left is %v", now, m.left())
				}
			})
		}
	}
}

// TestChangedMeanwhile: what somebody else puts while a secret is rotated stays,
// and the next rotation can begin.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, after := range []string{"createSecret", "testSecret"} {
		m := newManager(t, webhook.NewSecret(""))
		theirs := webhook.NewSecret("")
		for _, name := range []string{"createSecret", "testSecret", "finishSecret"} {
			err := m.step(name)
			if name == after {
				m.put(theirs)
			}
			if last := name == "finishSecret"; last && (!errors.Is(err, ErrEnded) || !errors.Is(err, rotation.ErrFaster)) || !last && err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if m.text(rotation.Current) != theirs || m.left() != nil {
			t.Errorf("it is %.6s; left is %v", m.text(rotation.Current), m.left())
		}
		ended := m.token
		m.token = ""
		if err := m.handle.Handle(t.Context(), Event{"createSecret", arn, ended}); !errors.Is(err, ErrEnded) {
			t.Errorf("the old one again: %v", err)
		}
		m.token = uuid.NewString()
		if err := m.rotate(); err != nil || m.text(rotation.Previous) != theirs {
			t.Errorf("the next one: %v", err)
		}
	}
}

// TestStale: what was made and not finished for long is given up, for its grace has
// run meanwhile.
func TestStale(t *testing.T) {
	t.Parallel()
	for label, c := range map[string]struct {
		grace, age time.Duration
		is         error
	}{
		"a tenth of the grace": {time.Hour, 6 * time.Minute, nil}, "more": {time.Hour, 6*time.Minute + time.Second, errStale},
		"a short grace": {time.Minute, time.Minute, nil}, "longer than that": {time.Minute, 61 * time.Second, errStale},
		"no grace": {0, 1000 * time.Hour, nil},
	} {
		m := newManager(t, webhook.NewSecret(""))
		m.handle.Grace = c.grace
		if err := m.step("createSecret"); err != nil {
			t.Fatal(err)
		}
		old := m.text(rotation.Current)
		m.now = noon.Add(c.age)
		if err := m.step("finishSecret"); !errors.Is(err, c.is) || (err != nil) != errors.Is(err, ErrEnded) ||
			(m.text(rotation.Current) == old) != (err != nil) || m.left() != nil {
			t.Errorf("%s: %v, left is %v", label, err, m.left())
		}
	}
}

// TestLeftovers: labels of rotations that died do not add up.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	m := newManager(t, webhook.NewSecret(""))
	for range 3 {
		if err := m.step("createSecret"); err != nil {
			t.Fatal(err)
		}
		// It is cancelled, and the label taken away by hand, as AWS advises.
		if err := m.Memory.MoveLabel(t.Context(), arn, rotation.Pending, m.token, ""); err != nil {
			t.Fatal(err)
		}
		m.token = uuid.NewString()
		m.put(webhook.NewSecret(""))
	}
	if err := m.step("createSecret"); err != nil {
		t.Fatal(err)
	}
	left := m.left()
	slices.Sort(left)
	if len(left) != 2 || left[0] != rotation.Pending || !isOrigin(left[1]) {
		t.Errorf("there is %v", left)
	}
}

func TestWhatCannotBeRotated(t *testing.T) {
	t.Parallel()
	for label, c := range map[string]struct {
		text, step string
		pending    string // what is there for it
		is         error
		says       string
	}{
		"a secret without a key":        {`{"by":"hunter2"}`, "createSecret", "", nil, "nothing to rotate"},
		"… when it is set up":           {`{"by":"hunter2"}`, "testSecret", "", nil, "nothing to rotate"},
		"a secret that is no key":       {"v1,hunter2", "createSecret", "", webhook.ErrSecretUnusable, "without v1,"},
		"none":                          {"", "createSecret", "", rotation.ErrNone, arn},
		"no step":                       {"hunter2", "deleteSecret", "", ErrStep, "deleteSecret"},
		"what was made is no key":       {"hunter2", "testSecret", "v1,hunter2", webhook.ErrSecretUnusable, "can't sign"},
		"what was made from nobody":     {"hunter2", "finishSecret", "hunter3", ErrEnded, "not known"},
		"a schedule for what can be":    {"correct horse battery staple", "testSecret", "", nil, ""},
		"a schedule for keys that can":  {`{"a":"` + webhook.NewSecret("") + `"}`, "testSecret", "", nil, ""},
		"what has nothing but a prefix": {"whsec_", "createSecret", "", webhook.ErrSecretUnusable, "nothing follows"},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			m := newManager(t, c.text)
			if c.pending != "" {
				if err := m.Memory.AddVersion(t.Context(), arn, rotation.Version{ID: m.token, Text: c.pending}, rotation.Pending); err != nil {
					t.Fatal(err)
				}
			}
			err := m.step(c.step)
			if (err != nil) != (c.says != "") || c.is != nil && !errors.Is(err, c.is) {
				t.Fatalf("got %v", err)
			}
			if told := fmt.Sprint(err, m.log.String()); !strings.Contains(told, c.says) || strings.Contains(told, "hunter") {
				t.Errorf("told: %s", told)
			}
			if now := m.text(rotation.Current); now != c.text {
				t.Errorf("it was changed to %q", now)
			}
		})
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	whole := Needs{Secrets: &manager{}, Now: time.Now, Log: slog.Default()}
	for label, c := range map[string]struct {
		forget func(*Needs)
		is     error
	}{
		"all": {func(*Needs) {}, nil}, "Secrets": {func(n *Needs) { n.Secrets = nil }, need.ErrMissing},
		"Now": {func(n *Needs) { n.Now = nil }, need.ErrMissing}, "Log": {func(n *Needs) { n.Log = nil }, need.ErrMissing},
	} {
		n := whole
		c.forget(&n)
		if _, err := New(n); !errors.Is(err, c.is) || (err != nil) != (c.is != nil) {
			t.Errorf("%s: %v", label, err)
		}
	}
	whole.Grace = signingkey.MaxGrace + 1
	if _, err := New(whole); err == nil {
		t.Error("a grace of over 7 days is taken")
	}
}
