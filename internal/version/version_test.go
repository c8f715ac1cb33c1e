package version

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	t.Parallel()
	settings := []debug.BuildSetting{{Key: "GOOS", Value: "linux"}, {Key: "vcs.revision", Value: "c87595911cfd"},
		{Key: "vcs.time", Value: "2026-11-26T08:15:00Z"}}
	const stamp = "v1.2.3 0aa1 2026-11-26T09:00:00Z"
	stamped := Build{"v1.2.3", "0aa1", "2026-11-26T09:00:00Z", "go1.26.0"}
	for name, c := range map[string]struct {
		stamp, main string
		settings    []debug.BuildSetting
		want        Build
	}{
		"by make":                  {stamp, "(devel)", nil, stamped},
		"by make, the stamp wins":  {stamp, "v9.9.9", settings, stamped},
		"by hand, of an archive":   {"v1.2.3", "(devel)", nil, Build{Version: "v1.2.3", Go: "go1.26.0"}},
		"by go build":              {"", "v1.2.4", settings, Build{"v1.2.4", "c87595911cfd", "2026-11-26T08:15:00Z", "go1.26.0"}},
		"by go install, of a tag":  {"", "v1.2.3", nil, Build{Version: "v1.2.3", Go: "go1.26.0"}},
		"by go run, without a tag": {"", "(devel)", nil, Build{Version: Unknown, Go: "go1.26.0"}},
		"by go test":               {"", "", nil, Build{Version: Unknown, Go: "go1.26.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := of(c.stamp, &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: c.main}, Settings: c.settings})
			if got != c.want {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	if b := Read(); b.Version == "" || b.Go != runtime.Version() {
		t.Errorf("got %+v", b)
	}
}

// TestStamp walks through a repository's life.
func TestStamp(t *testing.T) {
	t.Parallel()
	script, err := filepath.Abs("stamp")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run := func(name string, args ...string) string {
		t.Helper()
		c := exec.Command(name, args...)
		c.Dir = dir
		c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CEILING_DIRECTORIES=" + filepath.Dir(dir), "TZ=Asia/Tokyo",
			"GIT_AUTHOR_DATE=2026-11-26T08:15:00Z", "GIT_COMMITTER_DATE=2026-11-26T08:15:00Z",
			"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b.test", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b.test"}
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v\n%s", name, args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "a"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stamped := func(when, want string) {
		t.Helper()
		commit := run("git", "rev-parse", "HEAD")
		want = strings.ReplaceAll(want, "COMMIT", commit[:12])
		want = strings.ReplaceAll(want, "SHORT", run("git", "rev-parse", "--short", "HEAD")) + " " + commit + " 2026-11-26T08:15:00Z"
		if got := run(script); got != want {
			t.Errorf("%s: got %q, want %q", when, got, want)
		}
	}

	if got := run(script); got != "" {
		t.Errorf("where Git knows nothing: got %q", got)
	}
	run("git", "init", "--quiet")
	write("a")
	run("git", "add", "a")
	run("git", "commit", "--quiet", "-m", "a")
	stamped("before the first tag", "v0.0.0-20261126081500-COMMIT")
	write("b")
	stamped("changed", "v0.0.0-20261126081500-COMMIT-dirty")
	write("a")
	run("git", "tag", "other")
	run("git", "tag", "v1.2.3")
	stamped("a tag", "v1.2.3")
	write("b")
	run("git", "commit", "--quiet", "-a", "-m", "b")
	stamped("after it", "v1.2.3-1-gSHORT")
	write("c")
	stamped("after it, and changed", "v1.2.3-1-gSHORT-dirty")
}
