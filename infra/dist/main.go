// Command dist makes what is published of a version: the functions as zip files for
// both architectures, the command for several systems, a template that needs
// neither Go nor Node, a bill of materials, and checksums. `make dist` builds the
// programs and runs it. The same programs make the same bytes.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/jsii-runtime-go"

	"github.com/efferent/efferent/infra/cdk/efferent"
)

// release is what is published.
type release struct {
	version string
	// date is the commit's.
	date time.Time
	// built holds functions/<architecture>/<name>/bootstrap and
	// commands/<system>_<architecture>/efferent, and out is where the files go.
	built, out string
	// cdk is the file cdk.json, which has the flags by which a template is made.
	cdk string
}

// architectures are Lambda's names of what Go calls so.
var architectures = map[string]string{"arm64": "arm64", "amd64": "x86_64"}

func main() {
	stamp := flag.String("stamp", "", "the version, its commit and the commit's date, as internal/version/stamp prints them")
	built := flag.String("built", "build/dist-programs", "the directory of the built programs")
	out := flag.String("out", "build/dist", "the directory for the files; what is in it is deleted")
	cdk := flag.String("cdk", "cdk.json", "the CDK's flags")
	flag.Parse()
	r, err := newRelease(*stamp)
	if err == nil {
		r.built, r.out, r.cdk = *built, *out, *cdk
		err = r.make()
	}
	jsii.Close()
	if err != nil {
		fmt.Fprintln(os.Stderr, "nothing can be published:", err)
		os.Exit(1)
	}
}

func newRelease(stamp string) (r release, err error) {
	fields := strings.Fields(stamp)
	if len(fields) != 3 {
		return r, fmt.Errorf("the stamp %q is no version, commit and date: build in a clone with Git, or set STAMP", stamp)
	}
	if r.date, err = time.Parse(time.RFC3339, fields[2]); err != nil {
		return r, fmt.Errorf("the stamp's date: %w", err)
	}
	r.version, r.date = fields[0], r.date.UTC()
	return r, nil
}

// make makes all files; the checksums at last, of all the others.
func (r release) make() error {
	if err := errors.Join(os.RemoveAll(r.out), os.MkdirAll(r.out, 0o755)); err != nil {
		return err
	}
	for _, make := range []func() error{r.functions, r.commands, r.template, r.materials, r.checksums} {
		if err := make(); err != nil {
			return err
		}
	}
	return nil
}

// functions zips each function for each architecture, as Lambda wants it: an
// executable file bootstrap at the top ("Deploy Go Lambda functions with .zip file
// archives").
func (r release) functions() error {
	for goarch, arch := range architectures {
		programs, err := filepath.Glob(filepath.Join(r.built, "functions", goarch, "*", "bootstrap"))
		if err != nil || len(programs) == 0 {
			return errors.Join(err, fmt.Errorf("%s: no functions for %s are built", r.built, goarch))
		}
		for _, program := range programs {
			name := filepath.Base(filepath.Dir(program))
			if err := r.archive(efferent.CodeFile(name, r.version, arch), program); err != nil {
				return err
			}
		}
	}
	return nil
}

// commands zips the command for each system.
func (r release) commands() error {
	programs, err := filepath.Glob(filepath.Join(r.built, "commands", "*", "efferent*"))
	if err != nil {
		return err
	}
	for _, program := range programs {
		system := filepath.Base(filepath.Dir(program))
		if err := r.archive(fmt.Sprintf("efferent_%s_%s.zip", r.version, system), program); err != nil {
			return err
		}
	}
	return nil
}

// file is where a file of that name goes.
func (r release) file(name string) string { return filepath.Join(r.out, name) }
