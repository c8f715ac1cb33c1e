package main

import (
	"debug/buildinfo"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
)

// materials writes a CycloneDX bill of what is in the programs: for each of them
// the modules that it links, as Go itself wrote into it. Programs for several
// systems and architectures may link different ones, and so all are looked at.
func (r release) materials() error {
	b := newBill(r.version, r.date)
	for _, pattern := range []string{"functions/*/*/bootstrap", "commands/*/efferent*"} {
		programs, err := filepath.Glob(filepath.Join(r.built, pattern))
		if err != nil {
			return err
		}
		for _, program := range programs {
			if err := b.add(program); err != nil {
				return err
			}
		}
	}
	f, err := os.Create(r.file("efferent_" + r.version + ".cdx.json"))
	if err != nil {
		return err
	}
	defer f.Close()
	return cyclonedx.NewBOMEncoder(f, cyclonedx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(b.bom(), cyclonedx.SpecVersion1_6)
}

// bill is a bill that is being written.
type bill struct {
	version string
	date    time.Time
	// modules are what is linked, by their purl, and links by the names of programs.
	modules map[string]cyclonedx.Component
	links   map[string][]string
}

func newBill(version string, date time.Time) *bill {
	return &bill{version, date, map[string]cyclonedx.Component{}, map[string][]string{}}
}

// add reads what a program links.
func (b *bill) add(program string) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	b.link(filepath.Base(info.Path), "std", strings.TrimPrefix(info.GoVersion, "go"))
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		b.link(filepath.Base(info.Path), dep.Path, dep.Version)
	}
	return nil
}

// link says that a program links a module. The standard library is one, as
// govulncheck and the package-url type "golang" have it.
func (b *bill) link(program, path, version string) {
	purl := "pkg:golang/" + path + "@" + version
	b.modules[purl] = cyclonedx.Component{Type: cyclonedx.ComponentTypeLibrary, BOMRef: purl, Name: path, Version: version, PackageURL: purl}
	if !slices.Contains(b.links[program], purl) {
		b.links[program] = append(b.links[program], purl)
	}
}

func (b *bill) bom() *cyclonedx.BOM {
	bom := cyclonedx.NewBOM()
	ours := cyclonedx.Component{Type: cyclonedx.ComponentTypeApplication, Name: "efferent", Version: b.version,
		BOMRef: "pkg:golang/github.com/efferent/efferent@" + b.version, PackageURL: "pkg:golang/github.com/efferent/efferent@" + b.version,
		Licenses: &cyclonedx.Licenses{{License: &cyclonedx.License{ID: "Apache-2.0"}}}}
	bom.Metadata = &cyclonedx.Metadata{Timestamp: b.date.Format(time.RFC3339), Component: &ours}
	var components []cyclonedx.Component
	var dependencies []cyclonedx.Dependency
	var programs []string
	for _, name := range slices.Sorted(maps.Keys(b.links)) {
		component := cyclonedx.Component{Type: cyclonedx.ComponentTypeApplication, BOMRef: "program:" + name, Name: name, Version: b.version}
		components, programs = append(components, component), append(programs, component.BOMRef)
		slices.Sort(b.links[name])
		linked := b.links[name]
		dependencies = append(dependencies, cyclonedx.Dependency{Ref: component.BOMRef, Dependencies: &linked})
	}
	for _, purl := range slices.Sorted(maps.Keys(b.modules)) {
		components = append(components, b.modules[purl])
	}
	dependencies = append(dependencies, cyclonedx.Dependency{Ref: ours.BOMRef, Dependencies: &programs})
	bom.Components, bom.Dependencies = &components, &dependencies
	return bom
}
