package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Whoever changes a line that a mutant breaks is told so by make test, and not
// only by make mutants, which takes minutes.
func TestEveryMutantCanBeMade(t *testing.T) {
	t.Parallel()
	all, err := parse(list)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range all {
		if _, err := m.broken("../.."); err != nil {
			t.Errorf("mutants.txt:%d: %s: %v", m.Line, m.Why, err)
		}
		for _, p := range m.Packages {
			if _, err := os.Stat(filepath.Join("../..", p)); err != nil {
				t.Errorf("mutants.txt:%d: %v", m.Line, err)
			}
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := parse("# a remark\n\nmutant it is lost\nfile a/b.go\ntest ./a ./c\nrun A|B c\n- one\n-   two\n+ three\n+\tfour\n")
	if err != nil || len(got) != 1 {
		t.Fatalf("got %+v, %v", got, err)
	}
	m := got[0]
	if m.Why != "it is lost" || m.Line != 3 || m.File != "a/b.go" || !slices.Equal(m.Packages, []string{"./a", "./c"}) || m.Run != "A|B c" ||
		!slices.Equal(m.Find, []string{"one", "two"}) {
		t.Errorf("got %+v", m)
	}
	for _, bad := range []string{"file a.go", "mutant x\nfile a\ntest ./a", "mutant x\nfile a\n- b", "mutant x\nwhat a"} {
		if got, err := parse(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, got)
		}
	}
}

func TestBroken(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a.go"), []byte("if a {\n\t\tb(1)\n\t\tc()\n\t}\n\tb(2)\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ find, replace, want string }{
		{"b(1)\nc()", "d()", "if a {\n\t\td()\n\t}\n\tb(2)\n"},
		{"(1)", "(9)", "if a {\n\t\tb(9)\n\t\tc()\n\t}\n\tb(2)\n"},
		{"c()", "", "if a {\n\t\tb(1)\n\t\t\n\t}\n\tb(2)\n"},
		{"b(", "x", ""},
		{"nowhere", "x", ""},
	} {
		m := mutant{File: "a.go", Find: strings.Split(c.find, "\n"), Replace: []string{c.replace}}
		got, err := m.broken(root)
		if string(got) != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: got %q, %v", c.find, got, err)
		}
	}
}
