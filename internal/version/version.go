// Package version says which Efferent a program is: one version for the command,
// the functions and the stack.
package version

import (
	"runtime/debug"
)

// stamped is the version of a build that Git knows nothing of, such as one from
// an archive: -ldflags '-X github.com/efferent/efferent/internal/version.stamped=v1.2.3'.
var stamped string

// Unknown is the version of what `go run` and `go test` build, which is built of
// whatever is there.
const Unknown = "(devel)"

// Build is what is known of how a program was built.
type Build struct {
	// Version is the tag of the commit that it was built of, "v1.2.3". Between
	// tags it is a pseudo-version, which holds the commit's time and the beginning
	// of its hash ("Go Modules Reference", Pseudo-versions); "+dirty" is behind it
	// where something was changed and not committed.
	Version string `json:"version"`
	// Commit is the whole hash, "" where Git knew nothing.
	Commit string `json:"commit,omitempty"`
	// Date is the commit's, by RFC 3339 and in UTC.
	Date string `json:"date,omitempty"`
	// Changed is set where what was built is not what was committed.
	Changed bool `json:"changed,omitempty"`
	// Go is the version of Go, "go1.26.0".
	Go string `json:"go"`
}

// Read is this program's.
func Read() Build {
	info, ok := debug.ReadBuildInfo()
	if !ok { // not built with modules, which it always is
		return Build{Version: Unknown}
	}
	return Of(info)
}

// Of is that of a program whose build information this is: the go command puts
// it there ("cmd/go", Build and test caching, -buildvcs).
func Of(info *debug.BuildInfo) Build {
	b := Build{Version: stamped, Go: info.GoVersion}
	if b.Version == "" {
		b.Version = info.Main.Version
	}
	if b.Version == "" {
		b.Version = Unknown
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			b.Changed = s.Value == "true"
		}
	}
	return b
}
