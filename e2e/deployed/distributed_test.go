//go:build e2e

package deployed

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
)

// visitor has a copy of what `make dist` made and the AWS CLI, and neither Go nor
// Node nor anything else of this repository.
type visitor struct {
	target *Target
	dir    string
}

// TestDistributed deploys the template as somebody would who downloaded it, changes
// it, and takes it away again.
func TestDistributed(t *testing.T) {
	target := newTarget(t)
	config := target.start(t, false)
	v := newVisitor(t, target)
	v.aws(t, "s3", "mb", "s3://visitors-code")
	v.aws(t, "s3", "cp", "--recursive", ".", "s3://visitors-code/efferent/", "--exclude", "*", "--include", "*_"+lambdaArchitecture()+".zip")

	choices := map[string]string{"CodeBucket": "visitors-code", "CodePrefix": "efferent/", "Architecture": lambdaArchitecture(),
		"Prefix": "v-", "AllowHttp": "loopback", "AllowCidrs": "127.0.0.0/8", "CircuitFirst": "3",
		"Attachments": "visitors-code/files/", "TokenKeys": "efferent/tokens",
		"EventBus": "default", "EventSources": scenario.BusSource}
	v.refused(t, with(choices, "Memory", "20000"), "Memory")
	v.refused(t, with(choices, "AllowCidrs", "10.0.0.0/33"), "AllowCidrs")
	outputs := v.deploy(t, choices)
	s, a, b := target.use(t, config, outputs, "v-")
	s.PutSecret(t, scenario.SecretName, scenario.SecretValue)
	b.sign(t) // the first run makes the month's keys
	t.Run("the version is told", func(t *testing.T) { v.tellsVersion(t, s, outputs) })
	t.Run("webhooks", func(t *testing.T) { scenario.Webhooks(t, s) })
	t.Run("dead letters", func(t *testing.T) { scenario.DeadLetters(t, s, false) })

	t.Run("events of a bus", func(t *testing.T) { takesEvents(t, s, config) })
	t.Run("tokens have a way in", func(t *testing.T) {
		if status, answer, err := a.as(nil).call(t.Context(), http.MethodGet, "/token/api/v1/tenants/acme/endpoints", ""); err != nil ||
			status != http.StatusUnauthorized || !strings.Contains(string(answer), "token") {
			t.Errorf("who has none is answered %d %s, %v", status, answer, err)
		}
	})

	changed := with(with(choices, "Memory", "384"), "Retention", "86400")
	t.Run("changed", func(t *testing.T) {
		survives(t, s, func() { outputs = v.deploy(t, changed) })
		memory := v.aws(t, "lambda", "get-function-configuration", "--function-name", outputs["DeliverFunction"], "--query", "MemorySize")
		if kept := s.Attributes(t, "webhooks")["MessageRetentionPeriod"]; memory != "384" || kept != "86400" {
			t.Errorf("after the change: memory %s, retention %s", memory, kept)
		}
	})
	t.Run("removed", func(t *testing.T) {
		v.aws(t, "cloudformation", "delete-stack", "--stack-name", "efferent")
		v.aws(t, "cloudformation", "wait", "stack-delete-complete", "--stack-name", "efferent")
		if left := v.aws(t, "lambda", "list-functions", "--query", "Functions[].FunctionName"); left != "[]" {
			t.Errorf("functions stay: %s", left)
		}
	})
}

// TestDistIsTheSameAgain makes it all once more: who has the source can tell that
// what was published is what was built of it.
func TestDistIsTheSameAgain(t *testing.T) {
	again := filepath.Join(t.TempDir(), "again")
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	made := exec.Command("make", "dist", "DIST_PLATFORMS=", "DIST="+again, "DIST_PROGRAMS="+filepath.Join(t.TempDir(), "programs"))
	made.Dir = root
	if out, err := made.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var sums [2]string
	for i, dir := range []string{os.Getenv("DIST"), again} {
		b, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
		if err != nil {
			t.Fatal(err)
		}
		sums[i] = string(b)
	}
	if sums[0] != sums[1] {
		t.Errorf("make dist made\n%s\nand then\n%s", sums[0], sums[1])
	}
}

// newVisitor copies what is published to a folder, and checks it.
func newVisitor(t *testing.T, target *Target) *visitor {
	t.Helper()
	dist := os.Getenv("DIST")
	if dist == "" {
		t.Fatal("DIST does not name what make dist made: use make e2e")
	}
	v := &visitor{target: target, dir: filepath.Join(t.TempDir(), "downloads")}
	if err := os.CopyFS(v.dir, os.DirFS(dist)); err != nil {
		t.Fatal(err)
	}
	check := exec.Command("sha256sum", "--quiet", "--check", "SHA256SUMS")
	check.Dir = v.dir
	if out, err := check.CombinedOutput(); err != nil {
		t.Fatalf("sha256sum: %v\n%s", err, out)
	}
	return v
}

func lambdaArchitecture() string {
	if runtime.GOARCH == "amd64" {
		return "x86_64"
	}
	return runtime.GOARCH
}

// run runs the AWS CLI in the visitor's folder, where nothing else is on the PATH.
func (v *visitor) run(ctx context.Context, args ...string) (string, error) {
	cli := os.Getenv("AWS_CLI_V2")
	c := exec.CommandContext(ctx, cli, append([]string{"--endpoint-url", v.target.Endpoint}, args...)...)
	c.Dir = v.dir
	c.Env = []string{"PATH=" + v.dir, "HOME=" + v.dir, "AWS_REGION=" + v.target.Region, "AWS_DEFAULT_REGION=" + v.target.Region,
		"AWS_ACCESS_KEY_ID=" + v.target.AccessKey, "AWS_SECRET_ACCESS_KEY=" + v.target.SecretKey,
		"AWS_ENDPOINT_URL=" + v.target.Endpoint, "AWS_PAGER=", "AWS_EC2_METADATA_DISABLED=true"}
	out, err := c.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func (v *visitor) aws(t *testing.T, args ...string) string {
	t.Helper()
	out, err := v.run(t.Context(), args...)
	if err != nil {
		t.Fatalf("aws %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// template is the file of the template.
func (v *visitor) template(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(v.dir, "efferent_*.template.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("templates: %v, %v", found, err)
	}
	return found[0]
}

// change deploys the template by a change set, as `aws cloudformation deploy` does:
// that itself, as old as Debian's, uploads a template to AWS's own S3 only.
func (v *visitor) change(ctx context.Context, template, kind string, choices map[string]string) (string, error) {
	if out, err := v.run(ctx, "s3", "cp", template, "s3://visitors-code/efferent/template.json"); err != nil {
		return out, err
	}
	args := []string{"cloudformation", kind + "-stack", "--stack-name", "efferent", "--capabilities", "CAPABILITY_IAM",
		"--template-url", v.target.Endpoint + "/visitors-code/efferent/template.json", "--parameters"}
	for name, value := range choices {
		b, err := json.Marshal(map[string]string{"ParameterKey": name, "ParameterValue": value})
		if err != nil {
			return "", err
		}
		args = append(args, string(b))
	}
	if out, err := v.run(ctx, args...); err != nil {
		return out, err
	}
	return v.run(ctx, "cloudformation", "wait", "stack-"+kind+"-complete", "--stack-name", "efferent")
}

// deploy makes the stack, or changes it, and returns its outputs.
func (v *visitor) deploy(t *testing.T, choices map[string]string) map[string]string {
	t.Helper()
	kind := "create"
	if _, err := v.run(t.Context(), "cloudformation", "describe-stacks", "--stack-name", "efferent"); err == nil {
		kind = "update"
	}
	if out, err := v.change(t.Context(), v.template(t), kind, choices); err != nil {
		t.Fatalf("%s: %v\n%s", kind, err, out)
	}
	var all []struct{ OutputKey, OutputValue string }
	text := v.aws(t, "cloudformation", "describe-stacks", "--stack-name", "efferent", "--query", "Stacks[0].Outputs", "--output", "json")
	if err := json.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	outputs := map[string]string{}
	for _, o := range all {
		outputs[o.OutputKey] = o.OutputValue
	}
	return outputs
}

// refused tries to deploy what the parameters' rules do not allow.
func (v *visitor) refused(t *testing.T, choices map[string]string, parameter string) {
	t.Helper()
	if out, err := v.change(t.Context(), v.template(t), "create", choices); err == nil || !strings.Contains(out, parameter) {
		t.Errorf("%s=%s: got %q, %v; want it refused by name", parameter, choices[parameter], out, err)
	}
}

func with(choices map[string]string, name, value string) map[string]string {
	other := map[string]string{name: value}
	for n, v := range choices {
		if n != name {
			other[n] = v
		}
	}
	return other
}

// takesEvents puts an event on the bus of EventBus. It has no tenant, so it is recorded
// as one that goes to nobody.
func takesEvents(t *testing.T, s *scenario.Stack, config aws.Config) {
	id, err := putsEvents(config, "default")(t.Context(), "invoice.paid", "{}")
	if err != nil {
		t.Fatal(err)
	}
	if all := s.Attempts(t, id); !all[0].Event || !strings.Contains(all[0].Reason, "tenant") {
		t.Errorf("%s became %+v", id, all)
	}
}

// tellsVersion looks for the version of the files' names in the stack, and in the
// log of a function that has sent something.
func (v *visitor) tellsVersion(t *testing.T, s *scenario.Stack, outputs map[string]string) {
	version := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(v.template(t)), "efferent_"), ".template.json")
	if outputs["Version"] != version {
		t.Errorf("the output Version is %q, want %q", outputs["Version"], version)
	}
	e := scenario.NewEndpoint(t, scenario.OK)
	s.Send(t, scenario.Text("version", e.URL))
	s.Attempts(t, "version")
	log := v.aws(t, "logs", "filter-log-events", "--log-group-name", outputs["DeliverLogGroup"], "--output", "text")
	if !strings.Contains(log, `"msg":"deliver starts","version":"`+version+`"`) {
		t.Errorf("the log of deliver does not say %s:\n%s", version, log)
	}
}

// survives sends a webhook before a change that is to be delivered after it.
func survives(t *testing.T, s *scenario.Stack, change func()) {
	t.Helper()
	var mended atomic.Bool
	e := scenario.NewEndpoint(t, func(w http.ResponseWriter, _ *http.Request, _ int) {
		if !mended.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	s.Send(t, scenario.Text("across", e.URL, `"retry":"patient"`))
	s.AttemptsUntil(t, "across", func(v attempt.Verdict) bool { return v == attempt.Retryable })
	change()
	mended.Store(true)
	for _, r := range s.AttemptsUntil(t, "across", func(v attempt.Verdict) bool { return v == attempt.Delivered }) {
		t.Logf("%d: %s at %s", r.Attempt, r.Verdict, r.At.Format(time.TimeOnly))
	}
	for _, a := range e.Arrivals("across") {
		a.Verify(t, scenario.SecretValue)
	}
}
