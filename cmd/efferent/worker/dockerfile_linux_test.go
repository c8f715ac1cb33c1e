package worker

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/e2e/certificate"
	"github.com/efferent/efferent/e2e/scenario"
)

// builtAsInDockerfile runs the Dockerfile's own build, of nothing but what
// .dockerignore lets through, and returns the root directory of the image.
func builtAsInDockerfile(t *testing.T) (root, certificates string) {
	t.Helper()
	read := func(name string) string {
		b, err := os.ReadFile(filepath.Join("../../..", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	source, out := t.TempDir(), t.TempDir()
	for _, kept := range regexp.MustCompile(`(?m)^!(\S+)$`).FindAllStringSubmatch(read(".dockerignore"), -1) {
		if o, err := exec.Command("cp", "-r", filepath.Join("../../..", kept[1]), source).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, o)
		}
	}
	dockerfile := read("Dockerfile")
	build := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 .*)$`).FindStringSubmatch(dockerfile)
	bundle := regexp.MustCompile(`(?m)^COPY --from=build \S+\.crt (/\S+)$`).FindStringSubmatch(dockerfile)
	if build == nil || bundle == nil {
		t.Fatal("the Dockerfile does not build, or has no certificates")
	}
	c := exec.Command("sh", "-c", strings.ReplaceAll(build[1], "/out", out))
	c.Dir = source
	if o, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", build[1], err, o)
	}
	return out, bundle[1]
}

// inRoot runs the binary with nothing but its root directory, as a container
// FROM scratch does.
func inRoot(root string, env []string, args ...string) *exec.Cmd {
	c := exec.Command("/efferent", args...)
	c.Env, c.Dir = env, "/data"
	c.SysProcAttr = &syscall.SysProcAttr{Chroot: root}
	if os.Getuid() != 0 {
		c.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return c
}

// TestFromScratch: what the Dockerfile builds needs nothing but the certificates of
// authorities. It delivers by TLS, keeps its state in /data, answers its own probe,
// and ends by SIGTERM.
func TestFromScratch(t *testing.T) {
	t.Parallel()
	root, bundle := builtAsInDockerfile(t)
	if out, err := inRoot(root, nil, "version").CombinedOutput(); errors.Is(err, os.ErrPermission) {
		t.Skipf("no other root directory may be had here: %v", err)
	} else if err != nil || !strings.HasPrefix(string(out), "efferent ") {
		t.Fatalf("%v: %s", err, out)
	}
	files, err := certificate.Make(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(files.Certificate, files.Key)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := os.ReadFile(files.Authority)
	if err := errors.Join(err, os.MkdirAll(filepath.Dir(root+bundle), 0o755), os.WriteFile(root+bundle, authority, 0o600)); err != nil {
		t.Fatal(err)
	}
	endpoint := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	endpoint.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	endpoint.StartTLS()
	t.Cleanup(endpoint.Close)

	s := devtest.StartEndpoint(t)
	p := commandtest.Launch(t, inRoot(root, []string{
		"AWS_ENDPOINT_URL=" + s.AWSURL, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"EFFERENT_ALLOW_CIDRS=127.0.0.0/8",
	}, "worker", "--store", "sqlite:/data/efferent.db", "--http", "127.0.0.1:0"))
	s.HTTPURL = p.HTTPURL
	s.Send(t, scenario.Text("evt_tls", endpoint.URL))
	if got := scenario.Verdicts(s.Attempts(t, "evt_tls")); got != "1:200:delivered" {
		t.Errorf("in an empty root: %s\n%s", got, p.Stderr.String())
	}
	if out, err := inRoot(root, nil, "health", "--ready", strings.TrimPrefix(p.HTTPURL, "http://")).CombinedOutput(); err != nil {
		t.Errorf("its probe: %v: %s", err, out)
	}
	if err := p.Terminate(); err != nil {
		t.Errorf("SIGTERM: %v: %s", err, p.Stderr.String())
	}
	if _, err := os.Stat(root + "/data/efferent.db"); err != nil {
		t.Error(err)
	}
}
