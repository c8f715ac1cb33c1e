// Package efferent_test holds the architecture: which folder may depend on
// which.
package efferent_test

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/efferent/efferent/"

// layer is a part of the house: the packages under a path, and the paths whose
// packages they may import. A path that ends in a slash is a folder's inside.
type layer struct {
	path string
	may  []string
}

// pure packages know no AWS, no database and no clock of their own.
var pure = []string{
	"internal/attempt",
	"internal/channel",
	"internal/circuit",
	"internal/claim",
	"internal/deadletter",
	"internal/endpoint",
	"internal/event",
	"internal/ledger",
	"internal/loopback",
	"internal/mergepatch",
	"internal/message",
	"internal/metric",
	"internal/outcome",
	"internal/outcome/transitions",
	"internal/pace",
	"internal/report",
	"internal/report/onward",
	"internal/recipient",
	"internal/retry",
	"internal/retryafter",
	"internal/rotation",
	"internal/shortage",
	"internal/signingkey",
	"internal/suppression",
	"internal/template",
	"internal/trace",
	"internal/waiting",
	"internal/webhook",
}

// layers are the house, from the inside out. The longest path that fits a
// package is its layer's.
func layers() (all []layer) {
	for _, path := range pure {
		all = append(all, layer{path, pure})
	}
	wire := []string{"internal/channel/exchange", "internal/channel/mailbox"}
	engines := []string{"internal/eventsource", "internal/localaws/"}
	return append(all,
		layer{"internal/batch", pure},
		layer{"internal/need", nil},
		layer{"internal/api", pure},
		layer{"internal/api/apitest", []string{"internal/api", "schemas"}},
		layer{"internal/handlers/", slices.Concat(pure, []string{"internal/batch", "internal/need"})},
		// What has HTML only is given a text.
		layer{"internal/handlers/callback", slices.Concat(pure, []string{"internal/api", "internal/need"})},
		layer{"internal/handlers/report", slices.Concat(pure, []string{"internal/need"})},
		layer{"internal/handlers/notify", slices.Concat(pure, []string{"internal/batch", "internal/need", "internal/channel/plaintext",
			"internal/template/render"})},
		layer{"internal/template/render", slices.Concat(pure, []string{"internal/channel/plaintext"})},
		// The API serves its own contract.
		layer{"internal/handlers/replay", slices.Concat(pure, []string{"internal/api", "internal/batch", "internal/need", "schemas"})},
		layer{"internal/handlers/endpoints", slices.Concat(pure, []string{"internal/access", "internal/api", "internal/need"})},
		layer{"internal/handlers/directory", slices.Concat(pure, []string{"internal/api", "internal/need", "internal/template/render"})},
		layer{"internal/access", []string{"internal/api"}},
		// The senders know the notification, and not each other.
		layer{"internal/channel/", slices.Concat(pure, wire)},
		layer{"internal/channel/exchange", []string{"internal/retryafter"}},
		layer{"internal/channel/mailbox", nil},
		layer{"internal/channel/plaintext", nil},
		layer{"internal/channel/senders", slices.Concat(pure, []string{"internal/channel/"})},
		layer{"internal/localaws/", []string{"internal/localaws/awsjson", "internal/localaws/awsquery", "internal/localaws/bodies",
			"internal/localaws/credential", "internal/localaws/origin", "internal/loopback"}},
		layer{"internal/eventsource", nil},
		layer{"internal/aws/", pure},
		layer{"internal/aws/gateway", []string{"internal/api"}},
		layer{"internal/aws/ses", slices.Concat(pure, wire)},
		layer{"internal/aws/sms", slices.Concat(pure, wire)},
		// SQLite keeps the engines' state, by the interfaces that they declare.
		layer{"internal/sqlite", slices.Concat(pure, engines)},
		layer{"internal/writelog", slices.Concat(pure, engines)},
		layer{"internal/objects", pure},
		layer{"internal/settings", pure},
		layer{"internal/standin", pure},
		layer{"internal/heap", nil},
		layer{"internal/steady", nil},
		layer{"internal/storetest", pure},
		layer{"internal/telemetry", []string{"internal/metric"}},
		layer{"internal/telemetry/", []string{"internal/metric", "internal/trace"}},
		layer{"internal/terminal", nil},
		layer{"internal/version", nil},
	)
}

// within reports whether a package is at a path, or in the folder that it is
// the inside of.
func within(name, path string) bool {
	return name == path || strings.HasSuffix(path, "/") && strings.HasPrefix(name, path)
}

// layerOf finds a package's layer.
func layerOf(name string) (of layer, ok bool) {
	for _, l := range layers() {
		if within(name, l.path) && len(l.path) > len(of.path) {
			of, ok = l, true
		}
	}
	return of, ok
}

// longestChain is the most packages of this module that may be on one way of
// imports, the command or Lambda that it begins at included. The rooms of the command
// count as one: how many of them may be in a row is mostRooms.
const (
	longestChain = 5
	mostRooms    = 7
)

type listed struct {
	ImportPath string
	Imports    []string
	Deps       []string
}

func list(t *testing.T, patterns ...string) map[string]listed {
	t.Helper()
	// What go list reads, go test does not know of: it would give an old result
	// out of its cache. What the test itself opens it does.
	for _, pattern := range patterns {
		if err := filepath.WalkDir(strings.TrimSuffix(pattern, "..."), func(string, fs.DirEntry, error) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
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
	for name, p := range list(t, "./internal/...") {
		l, ok := layerOf(name)
		if !ok {
			t.Errorf("%s is in no layer: say in this test which it belongs to", name)
		}
		for _, imported := range ours(p.Imports) {
			if !slices.ContainsFunc(l.may, func(path string) bool { return within(imported, path) }) {
				t.Errorf("%s imports %s, which the layer of %s may not", name, imported, l.path)
			}
		}
		for _, dep := range p.Deps {
			if slices.Contains(pure, name) && strings.HasPrefix(dep, "github.com/aws/") {
				t.Errorf("%s is pure, and yet it links %s", name, dep)
			}
		}
	}
}

func TestChainsOfImportsAreShort(t *testing.T) {
	t.Parallel()
	packages := list(t, "./cmd/...", "./lambdas/...", "./infra/...", "./internal/...")
	var chain func(name string, counts func(string) bool) []string
	chain = func(name string, counts func(string) bool) (longest []string) {
		for _, imported := range ours(packages[name].Imports) {
			if below := chain(imported, counts); len(below) > len(longest) {
				longest = below
			}
		}
		if counts(name) {
			return append([]string{name}, longest...)
		}
		return longest
	}
	inside := func(name string) bool { return !isRoom(name) }
	for name := range packages {
		own := 0
		if isRoom(name) {
			own = 1
		}
		if c := chain(name, inside); len(c)+own > longestChain {
			t.Errorf("%d packages in a row: %s → %s", len(c)+own, name, strings.Join(c, " → "))
		}
		if c := chain(name, isRoom); len(c) > mostRooms {
			t.Errorf("%d rooms in a row: %s", len(c), strings.Join(c, " → "))
		}
	}
}

// isRoom reports whether a package is a part of the command.
func isRoom(name string) bool { return within(name, "cmd/efferent") || within(name, "cmd/efferent/") }

// rooms are the packages of the command, and which others of them each may import.
var rooms = func() map[string][]string {
	client := []string{"console", "reach", "acts"}
	serving := []string{"console", "reach", "ownqueues", "assembly"}
	all := map[string][]string{
		"commandline": {"console", "reach", "produce", "dlq", "endpoints", "directory", "secret", "waiting", "circuits", "deliveries", "audit",
			"ownqueues", "dev", "worker", "demo"},
		"console": nil, "reach": {"console"}, "acts": {"console"},
		"deliveries": client,
		// The attempts of what failed, and of an endpoint, are shown as those of a delivery.
		"dlq": append(client, "deliveries"), "endpoints": append(client, "deliveries"),
		"produce": client, "directory": client, "secret": client, "waiting": client, "circuits": client, "audit": client,
		"ownqueues": {"console", "reach"},
		"assembly":  nil, "dev": serving,
		// Its API shows the ledger as efferent audit reads it.
		"worker": append(serving, "audit"),
		"demo":   {"console", "reach", "deliveries", "produce", "audit", "dev"},
		// For tests only.
		"commandtest": nil, "devtest": {"commandtest", "dev"},
	}
	return all
}()

func TestRooms(t *testing.T) {
	t.Parallel()
	const house = "cmd/efferent/"
	for name, p := range list(t, "./cmd/efferent/...") {
		room, ok := strings.CutPrefix(name, house)
		may, known := rooms[room]
		if ok && !known {
			t.Errorf("%s is no room of the command: say in this test what it may import", name)
		}
		if !ok {
			may = []string{"commandline"}
		}
		for _, imported := range ours(p.Imports) {
			if at, ok := strings.CutPrefix(imported, house); ok && !slices.Contains(may, at) {
				t.Errorf("%s imports %s, which it may not", name, imported)
			}
		}
		if !ok && slices.ContainsFunc(p.Deps, func(d string) bool { return d == "testing" || strings.HasSuffix(d, "/commandtest") }) {
			t.Errorf("%s links what only tests may", name)
		}
	}
}

// foreign is what no Lambda links.
var foreign = []string{
	"modernc.org/", "github.com/aws/aws-cdk-go/", "github.com/aws/jsii-runtime-go", "github.com/alecthomas/kong",
	module + "internal/sqlite", module + "internal/localaws/", module + "internal/eventsource",
	module + "internal/telemetry/", "go.opentelemetry.io/", "github.com/prometheus/", "google.golang.org/",
}

// sending is what only the Lambda that sends notifications links: others read
// them at most.
var sending = []string{
	"github.com/wneessen/go-mail", module + "internal/channel/", module + "internal/template/render", module + "internal/aws/ses",
	module + "internal/aws/sms",
}

// previewing is what shows what would be sent.
var previewing = []string{module + "internal/channel/plaintext", module + "internal/template/render"}

func TestLambdasLinkOnlyWhatTheyUse(t *testing.T) {
	t.Parallel()
	lambdas := list(t, "./lambdas/...")
	if len(lambdas) == 0 {
		t.Fatal("there are no lambdas")
	}
	for name, p := range lambdas {
		forbidden := foreign
		if name != "lambdas/notify" {
			forbidden = slices.Concat(foreign, sending)
		}
		for _, dep := range p.Deps {
			if name == "lambdas/directory" && slices.Contains(previewing, dep) {
				continue
			}
			if slices.ContainsFunc(forbidden, func(f string) bool { return strings.HasPrefix(dep, f) }) {
				t.Errorf("%s links %s", name, dep)
			}
		}
	}
}
