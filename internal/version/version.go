// Package version says which Efferent a program is: one version for the command,
// the functions and the stack.
package version

import (
	"runtime/debug"
	"strings"
)

// stamp is "v1.2.3 <commit> <date>", as the script beside this file prints it. The
// Makefile sets it (-ldflags -X), since the go command by itself knows the commit
// in some builds only, and not in Git's worktrees.
var stamp string

// Unknown is the version of a program that was built of whatever was there.
const Unknown = "(devel)"

// Build is what is known of how a program was built.
type Build struct {
	// Version is the tag of the commit that it was built of, "v1.2.3". Between
	// tags it names the commit too; "-dirty" is behind it where something was
	// changed and not committed.
	Version string `json:"version"`
	// Commit is the whole hash, "" where nobody knows.
	Commit string `json:"commit,omitempty"`
	// Date is the commit's, by RFC 3339 and in UTC.
	Date string `json:"date,omitempty"`
	// Go is the version of Go, "go1.26.0".
	Go string `json:"go"`
}

// Read is this program's.
func Read() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok { // not built with modules, which it always is
		return Build{Version: Unknown}
	}
	return of(stamp, info)
}

// of is that of a program with this stamp, or else what the go command put into
// it: `go install …@v1.2.3` knows the tag, `go build` all of it ("cmd/go", -buildvcs).
func of(stamp string, info *debug.BuildInfo) Build {
	b := Build{Version: info.Main.Version, Go: info.GoVersion}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		}
	}
	if fields := strings.Fields(stamp); len(fields) > 0 {
		fields = append(fields, "", "") // who stamps by hand may know the version only
		b.Version, b.Commit, b.Date = fields[0], fields[1], fields[2]
	}
	if b.Version == "" {
		b.Version = Unknown
	}
	return b
}
