package version

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestOf(t *testing.T) {
	settings := []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "vcs.revision", Value: "c87595911cfd"},
		{Key: "vcs.time", Value: "2026-11-26T08:15:00Z"}, {Key: "vcs.modified", Value: "true"}}
	known := Build{Commit: "c87595911cfd", Date: "2026-11-26T08:15:00Z", Changed: true, Go: "go1.26.0"}
	of := func(version string) Build {
		b := known
		b.Version = version
		return b
	}
	for name, c := range map[string]struct {
		main, stamped string
		settings      []debug.BuildSetting
		want          Build
	}{
		"a tag":                    {"v1.2.3", "", settings, of("v1.2.3")},
		"between tags, and edited": {"v1.2.4-0.20261126081500-c87595911cfd+dirty", "", settings, of("v1.2.4-0.20261126081500-c87595911cfd+dirty")},
		"of an archive":            {"(devel)", "v1.2.3", nil, Build{Version: "v1.2.3", Go: "go1.26.0"}},
		"by go run":                {"(devel)", "", nil, Build{Version: Unknown, Go: "go1.26.0"}},
		"by go test":               {"", "", nil, Build{Version: Unknown, Go: "go1.26.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			stamped = c.stamped
			t.Cleanup(func() { stamped = "" })
			got := Of(&debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: c.main}, Settings: c.settings})
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestRead(t *testing.T) {
	if b := Read(); b.Version == "" || b.Go != runtime.Version() {
		t.Errorf("got %+v", b)
	}
}
