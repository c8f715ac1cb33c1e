package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/aws/jsii-runtime-go"
)

func TestMain(m *testing.M) {
	code := m.Run()
	jsii.Close()
	os.Exit(code)
}

// programs are stand-ins for what was built: one function in the place of all of
// them, written at some time or other.
func programs(t *testing.T, function string, at time.Time) string {
	t.Helper()
	content, err := os.ReadFile(function)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range []string{"functions/arm64/deliver/bootstrap", "functions/amd64/deliver/bootstrap",
		"commands/linux_amd64/efferent", "commands/windows_amd64/efferent.exe"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func published(t *testing.T, function string, at time.Time) release {
	t.Helper()
	r, err := newRelease("v1.2.3 c87595911cfd 2026-11-26T08:15:00Z")
	if err != nil {
		t.Fatal(err)
	}
	r.cdk = "../../cdk.json"
	r.built, r.out = programs(t, function, at), filepath.Join(t.TempDir(), "dist")
	if err := r.make(); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestDist(t *testing.T) {
	function := filepath.Join(t.TempDir(), "rotate")
	if out, err := exec.Command("go", "build", "-buildvcs=false", "-o", function, "../../lambdas/rotate").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	now := time.Now()
	r, again := published(t, function, now), published(t, function, now.Add(-1000*time.Hour))
	t.Run("files", func(t *testing.T) { r.hasFiles(t) })
	t.Run("the same bytes", func(t *testing.T) { r.equals(t, again) })
	t.Run("checksums", func(t *testing.T) { r.checksOut(t) })
	t.Run("a function's zip", func(t *testing.T) { r.holds(t, "deliver_v1.2.3_x86_64.zip", "bootstrap") })
	t.Run("the command's zip", func(t *testing.T) { r.holds(t, "efferent_v1.2.3_windows_amd64.zip", "efferent.exe") })
	t.Run("bill of materials", func(t *testing.T) { r.billsAll(t) })
	t.Run("template", func(t *testing.T) { r.needsNoCDK(t) })
}

func (r release) names(t *testing.T) (names []string) {
	t.Helper()
	files, err := filepath.Glob(r.file("*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		names = append(names, filepath.Base(file))
	}
	return names
}

func (r release) read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(r.file(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (r release) hasFiles(t *testing.T) {
	want := []string{"SHA256SUMS", "deliver_v1.2.3_arm64.zip", "deliver_v1.2.3_x86_64.zip", "efferent_v1.2.3.cdx.json",
		"efferent_v1.2.3.template.json", "efferent_v1.2.3_linux_amd64.zip", "efferent_v1.2.3_windows_amd64.zip"}
	if got := r.names(t); !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func (r release) equals(t *testing.T, other release) {
	for _, name := range r.names(t) {
		if !bytes.Equal(r.read(t, name), other.read(t, name)) {
			t.Errorf("%s is another one the second time", name)
		}
	}
}

// checksOut has sha256sum, not us, read the checksums.
func (r release) checksOut(t *testing.T) {
	c := exec.Command("sha256sum", "--check", "--strict", "SHA256SUMS")
	c.Dir = r.out
	out, err := c.CombinedOutput()
	if checked := strings.Count(string(out), ": OK\n"); err != nil || checked != len(r.names(t))-1 {
		t.Errorf("%v, %d of %d are checked\n%s", err, checked, len(r.names(t))-1, out)
	}
}

// holds looks for a program, executable and alone, in a zip file.
func (r release) holds(t *testing.T, name, program string) {
	z, err := zip.OpenReader(r.file(name))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 1 || z.File[0].Name != program || z.File[0].Mode() != 0o755 {
		t.Errorf("%s holds %v", name, z.File)
	}
}

func (r release) billsAll(t *testing.T) {
	var bom cyclonedx.BOM
	text := bytes.NewReader(r.read(t, "efferent_v1.2.3.cdx.json"))
	if err := cyclonedx.NewBOMDecoder(text, cyclonedx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	refs := map[string]bool{bom.Metadata.Component.BOMRef: true}
	var libraries []string
	for _, c := range *bom.Components {
		if refs[c.BOMRef] {
			t.Errorf("%s is there twice", c.BOMRef)
		}
		refs[c.BOMRef] = true
		if c.Type == cyclonedx.ComponentTypeLibrary {
			libraries = append(libraries, c.Name)
		}
	}
	for _, want := range []string{"std", "github.com/aws/aws-lambda-go", "github.com/aws/aws-sdk-go-v2/service/secretsmanager"} {
		if !slices.Contains(libraries, want) {
			t.Errorf("%s is missing of %q", want, libraries)
		}
	}
	for _, d := range *bom.Dependencies {
		for _, ref := range append([]string{d.Ref}, *d.Dependencies...) {
			if !refs[ref] {
				t.Errorf("%s is depended on, and is no component", ref)
			}
		}
	}
	if bom.Metadata.Component.Version != "v1.2.3" ||
		bom.Metadata.Timestamp != "2026-11-26T08:15:00Z" || bom.SpecVersion != cyclonedx.SpecVersion1_6 {
		t.Errorf("got %+v", bom.Metadata)
	}
}

// needsNoCDK looks for what would want an account that was bootstrapped.
func (r release) needsNoCDK(t *testing.T) {
	text := r.read(t, "efferent_v1.2.3.template.json")
	var template struct {
		Parameters map[string]struct{ Default any }
		Resources  map[string]struct{ Type string }
		Rules      map[string]any
	}
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	for name, p := range template.Parameters {
		if name == "BootstrapVersion" || p.Default == nil && name != "CodeBucket" {
			t.Errorf("the parameter %s must be known to deploy it", name)
		}
	}
	for _, r := range template.Resources {
		if !strings.HasPrefix(r.Type, "AWS::") || strings.HasPrefix(r.Type, "AWS::CDK::") {
			t.Errorf("it has a %s", r.Type)
		}
	}
	if bytes.Contains(text, []byte("cdk-hnb659fds")) || template.Rules["CheckBootstrapVersion"] != nil {
		t.Error("it wants what cdk bootstrap makes")
	}
}

func TestStampIsNeeded(t *testing.T) {
	t.Parallel()
	for _, stamp := range []string{"", "v1.2.3", "v1.2.3 c87595911cfd yesterday"} {
		if _, err := newRelease(stamp); err == nil {
			t.Errorf("%q is taken", stamp)
		}
	}
}

func TestNothingBuilt(t *testing.T) {
	t.Parallel()
	r, err := newRelease("v1.2.3 c87595911cfd 2026-11-26T08:15:00Z")
	if err != nil {
		t.Fatal(err)
	}
	r.built, r.out = t.TempDir(), filepath.Join(t.TempDir(), "dist")
	if err := r.make(); err == nil || !strings.Contains(err.Error(), "are built") {
		t.Errorf("got %v", err)
	}
}
