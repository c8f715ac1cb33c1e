package commandline

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/version"
)

func TestWriteVersion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		build version.Build
		want  string
	}{
		"a release": {version.Build{Version: "v1.2.3", Commit: "c87595911cfd", Date: "2026-11-26T08:15:00Z", Go: "go1.26.0"},
			"efferent v1.2.3\ncommit c87595911cfd\ndate   2026-11-26T08:15:00Z\ngo     go1.26.0\n"},
		"by go run": {version.Build{Version: version.Unknown, Go: "go1.26.0"}, "efferent (devel)\ngo     go1.26.0\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			if err := writeVersion(&out, c.build); err != nil || out.String() != c.want {
				t.Errorf("got %q, %v; want %q", out.String(), err, c.want)
			}
		})
	}
}
