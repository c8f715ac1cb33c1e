package need

import (
	"errors"
	"strings"
	"testing"
)

type shared struct {
	Clock func()
	Most  int
}

type needs struct {
	shared
	Store  error
	Queues []string
	Choice struct{ A int }
	Limit  int `need:"optional"`
	On     bool
}

func TestAll(t *testing.T) {
	t.Parallel()
	whole := func() needs {
		return needs{shared: shared{Clock: func() {}, Most: 1}, Store: errors.New("a store"), Queues: []string{"a"}}
	}
	for missing, forget := range map[string]func(*needs){
		"":       func(*needs) {},
		"Clock":  func(n *needs) { n.Clock = nil },
		"Most":   func(n *needs) { n.Most = 0 },
		"Store":  func(n *needs) { n.Store = nil },
		"Queues": func(n *needs) { n.Queues = nil },
	} {
		n := whole()
		forget(&n)
		err := All(n)
		if (err == nil) != (missing == "") || err != nil && (!errors.Is(err, ErrMissing) || !strings.HasPrefix(err.Error(), missing+" ")) {
			t.Errorf("without %q: %v", missing, err)
		}
	}
	if err := All(needs{}); err == nil || strings.Count(err.Error(), "\n") != 3 {
		t.Errorf("not all of what is missing is named: %v", err)
	}
}
