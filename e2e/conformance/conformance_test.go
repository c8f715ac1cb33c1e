package conformance

import (
	"bufio"
	"flag"
	"os"
	"strings"
	"testing"
)

var knownFailures = flag.String("known-failures", "", "file that lists the checks which the endpoint is known to fail")

func TestConformance(t *testing.T) {
	t.Parallel()
	known := readKnownFailures(t)
	target := realEndpoint(t)
	for _, check := range checks {
		if target != nil && !target.takes(&check) {
			continue
		}
		reason, listed := known[check.name]
		delete(known, check.name)
		t.Run(check.name, func(t *testing.T) {
			t.Parallel()
			e := target
			if e == nil {
				e = ours(t, check.inFlight)
			}
			c := e.start(t, &check)
			defer c.tidy()
			failure := c.execute()
			switch {
			case failure == "" && listed:
				t.Errorf("passes, and is listed as a known failure (%s): take it off the list", reason)
			case failure != "" && listed:
				t.Logf("fails as is known (%s): %s", reason, failure)
			case failure != "":
				t.Errorf("%s\nsee %q", failure, check.page)
			}
		})
	}
	for name := range known {
		t.Errorf("%s is listed as a known failure, and is no check that runs here", name)
	}
}

// readKnownFailures gives the reasons by the checks' names.
func readKnownFailures(t *testing.T) map[string]string {
	t.Helper()
	known := map[string]string{}
	if *knownFailures == "" {
		return known
	}
	f, err := os.Open(*knownFailures)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, reason, _ := strings.Cut(line, " ")
		if reason = strings.TrimSpace(reason); reason == "" || known[name] != "" {
			t.Errorf("%s: %q must be the name of a check, once, and why it fails", *knownFailures, line)
		}
		known[name] = reason
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return known
}

// TestChecksAreNamedOnce keeps the list of known failures clear.
func TestChecksAreNamedOnce(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, check := range checks {
		if seen[check.name] || check.page == "" || strings.ContainsAny(check.name, " \t") {
			t.Errorf("check %q must have a name of its own, without spaces, and a page", check.name)
		}
		seen[check.name] = true
	}
}
