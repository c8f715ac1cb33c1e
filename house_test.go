// Package efferent_test holds the architecture: which folder may depend on
// which.
package efferent_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/efferent/efferent/"

// The layers, from the inside out.
var (
	pure     = []string{"internal/attempt", "internal/channel", "internal/claim", "internal/deadletter", "internal/ledger", "internal/message", "internal/retry", "internal/webhook"}
	rooms    = []string{"internal/deliver", "internal/notify", "internal/replay"}
	wires    = []string{"internal/awsjson", "internal/awsquery"} // AWS's protocols, the server's side
	engines  = []string{"internal/eventsource", "internal/secretserver", "internal/sqsserver"}
	adapters = []string{"internal/aws/dynamodb", "internal/aws/fromenv", "internal/aws/secrets", "internal/aws/ses", "internal/aws/sms", "internal/aws/sqs", "internal/sqlite"}
	edges    = []string{"internal/settings", "internal/standin", "internal/storetest", "internal/telemetry"}
)

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func list(t *testing.T, patterns ...string) map[string]listed {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports,Deps"}, patterns...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string]listed{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(p.ImportPath, module)] = p
	}
}

// ours keeps this module's packages, without the module's name.
func ours(imports []string) (own []string) {
	for _, i := range imports {
		if rest, ok := strings.CutPrefix(i, module); ok {
			own = append(own, rest)
		}
	}
	return own
}

func TestDependenciesPointInwards(t *testing.T) {
	t.Parallel()
	packages := list(t, "./internal/...")
	known := slices.Concat(pure, rooms, wires, engines, adapters, edges)
	for name := range packages {
		if !slices.Contains(known, name) {
			t.Errorf("%s is in no layer: say in this test which it belongs to", name)
		}
	}
	for _, layer := range []struct {
		name    string
		of, may []string
	}{
		{"what is pure", pure, pure},
		{"a room", rooms, pure},
		{"a protocol", wires, wires},
		{"an engine", engines, wires},
		// SQLite keeps the engines' state, by the interfaces that they declare.
		{"an adapter", adapters, slices.Concat(pure, engines)},
		{"what is at the edge", edges, pure},
	} {
		for _, name := range layer.of {
			for _, imported := range ours(packages[name].Imports) {
				if !slices.Contains(layer.may, imported) {
					t.Errorf("%s, %s, imports %s", layer.name, name, imported)
				}
			}
		}
	}
	for _, name := range pure {
		for _, dep := range packages[name].Deps {
			if strings.HasPrefix(dep, "github.com/aws/") {
				t.Errorf("%s is pure, and yet it links %s", name, dep)
			}
		}
	}
}

func TestLambdasLinkOnlyWhatTheyUse(t *testing.T) {
	t.Parallel()
	lambdas := list(t, "./lambdas/...")
	if len(lambdas) == 0 {
		t.Fatal("there are no lambdas")
	}
	for name, p := range lambdas {
		for _, dep := range p.Deps {
			for _, foreign := range []string{
				"modernc.org/", "github.com/aws/aws-cdk-go/", "github.com/aws/jsii-runtime-go", "github.com/alecthomas/kong",
				module + "internal/sqlite", module + "internal/sqsserver", module + "internal/secretserver", module + "internal/eventsource",
			} {
				if strings.HasPrefix(dep, foreign) {
					t.Errorf("%s links %s", name, dep)
				}
			}
		}
	}
}
