// Command mutants breaks the code on purpose, in one place at a time, and runs
// the tests that must notice. A mutant that they do not notice has survived:
// a promise that no test holds. The list is mutants.txt.
//
// Nothing in the working tree is touched: Go's -overlay puts the broken file in
// the place of the real one.
package main

import (
	_ "embed"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

//go:embed mutants.txt
var list string

func main() {
	only := flag.String("run", "", "only the mutants whose reason or file matches this regular expression")
	flag.Parse()
	all, err := parse(list)
	if err != nil {
		fail(fmt.Errorf("mutants.txt: %w", err))
	}
	chosen, err := regexp.Compile("(?i)" + *only)
	if err != nil {
		fail(fmt.Errorf("-run: %w", err))
	}
	all = slices.DeleteFunc(all, func(m mutant) bool { return !chosen.MatchString(m.Why) && !chosen.MatchString(m.File) })
	if len(all) == 0 {
		fail(fmt.Errorf("-run: no mutant matches %q", *only))
	}
	bad, err := run(all)
	if err != nil {
		fail(err)
	}
	fmt.Printf("%d of %d mutants were caught\n", len(all)-bad, len(all))
	if bad > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "mutants:", err)
	os.Exit(2)
}

// run makes the mutants one by one, and counts those that were not caught.
func run(all []mutant) (bad int, err error) {
	root, err := os.Getwd()
	if err != nil {
		return 0, err
	}
	fmt.Printf("%d mutants; first the tests as they are\n", len(all))
	if out, err := unbroken(all); err != nil {
		return 0, fmt.Errorf("they fail without any mutant:\n%s", out)
	}
	scratch, err := os.MkdirTemp("", "efferent-mutants-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(scratch)
	for _, m := range all {
		begun := time.Now()
		fate, why := m.try(root, scratch)
		fmt.Printf("%-8s %5.1fs  %s (%s, mutants.txt:%d)\n%s", fate, time.Since(begun).Seconds(), m.Why, m.File, m.Line, why)
		if fate != "caught" {
			bad++
		}
	}
	return bad, nil
}

// unbroken runs all the tests that the mutants need, without a mutant: one that
// fails by itself would catch everything.
func unbroken(all []mutant) (out string, err error) {
	packages := map[string][]string{} // by Run
	for _, m := range all {
		packages[m.Run] = append(packages[m.Run], m.Packages...)
	}
	for run, some := range packages {
		if out, err = tests("", run, slices.Compact(slices.Sorted(slices.Values(some)))); err != nil {
			return out, err
		}
	}
	return "", nil
}

// try makes one mutant and says what became of it; why is empty, or ends in a
// line break.
func (m mutant) try(root, scratch string) (fate, why string) {
	source, err := m.broken(root)
	if err != nil {
		return "NO MATCH", err.Error() + "\n"
	}
	replacement, overlay := filepath.Join(scratch, "broken.go"), filepath.Join(scratch, "overlay.json")
	files, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, m.File): replacement}})
	if err == nil {
		err = errors.Join(os.WriteFile(replacement, source, 0o600), os.WriteFile(overlay, files, 0o600))
	}
	if err != nil {
		return "ERROR", err.Error() + "\n"
	}
	for _, p := range m.Packages {
		switch out, err := tests(overlay, m.Run, []string{p}); {
		case err == nil:
			continue
		case strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]"):
			return "NO BUILD", out
		case strings.Contains(out, "panic: test timed out"):
			return "HUNG", ""
		}
		return "caught", ""
	}
	return "SURVIVED", ""
}

// tests runs the packages' tests, some of them where run is not empty. By GOFLAGS
// the overlay reaches the commands that tests build, too. Vet is make lint's.
func tests(overlay, run string, packages []string) (out string, err error) {
	args := append([]string{"test", "-failfast", "-vet=off", "-timeout", "120s", "-run", run}, packages...)
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "RAPID_NOFAILFILE=1") // what fails here is no case to keep
	if overlay != "" {
		cmd.Env = append(cmd.Env, strings.TrimSpace("GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay))
	}
	b, err := cmd.CombinedOutput()
	return string(b), err
}
