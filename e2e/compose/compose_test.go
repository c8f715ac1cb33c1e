// Package compose reads compose.yaml as Docker Compose does, with its own library,
// and what docs/worker.md has for Kubernetes and Fargate. It is a module of its own:
// nothing else here links that library.
package compose

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

// TestCompose: Compose takes the file, and it says what docs/worker.md does.
func TestCompose(t *testing.T) {
	options, err := cli.NewProjectOptions([]string{"../../compose.yaml"}, cli.WithName("efferent"), cli.WithInterpolation(true))
	if err != nil {
		t.Fatal(err)
	}
	p, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	worker := p.Services["worker"]
	if d := worker.DependsOn["queues"]; d.Condition != types.ServiceConditionCompletedSuccessfully {
		t.Errorf("the worker does not wait for its queues, but for %+v", d)
	}
	if d := p.Services["queues"].DependsOn["localstack"]; d.Condition != types.ServiceConditionHealthy {
		t.Errorf("the queues do not wait for LocalStack, but for %+v", d)
	}
	if worker.StopGracePeriod == nil || worker.StopGracePeriod.String() != "30s" {
		t.Errorf("it is killed after %v, and needs 25 s", worker.StopGracePeriod)
	}
	for name, service := range p.Services {
		for _, port := range service.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s is open to other machines at %+v", name, port)
			}
		}
		if name != "localstack" && *service.Environment["AWS_ENDPOINT_URL"] != "http://localstack:4566" {
			t.Errorf("%s speaks to %v", name, service.Environment["AWS_ENDPOINT_URL"])
		}
	}
	if !slices.Contains(worker.Command, "sqlite:/data/efferent.db") || !slices.ContainsFunc(worker.Volumes,
		func(v types.ServiceVolumeConfig) bool { return v.Target == "/data" }) {
		t.Errorf("its state is lost with it: %v, %v", worker.Command, worker.Volumes)
	}
	if !strings.HasPrefix(p.Services["localstack"].Image, "localstack/localstack:4.") {
		t.Errorf("LocalStack is %s", p.Services["localstack"].Image)
	}
}

// blocks are those of docs/worker.md in a language.
func blocks(t *testing.T, language string) (all []string) {
	t.Helper()
	page, err := os.ReadFile("../../docs/worker.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		all = append(all, b[1])
	}
	return all
}

// TestDeployment: what the page has for Kubernetes is YAML, gives a worker the time
// that it takes to end, and asks it what it answers.
func TestDeployment(t *testing.T) {
	var d struct {
		Kind string
		Spec struct {
			Template struct {
				Spec struct {
					Grace      int `yaml:"terminationGracePeriodSeconds"`
					Containers []struct {
						Args  []string
						Ports []struct {
							Name string
							Port int `yaml:"containerPort"`
						}
						Live  probe `yaml:"livenessProbe"`
						Ready probe `yaml:"readinessProbe"`
					}
				}
			}
		}
	}
	all := blocks(t, "yaml")
	if len(all) != 1 {
		t.Fatalf("%d blocks of YAML", len(all))
	}
	if err := yaml.Unmarshal([]byte(all[0]), &d); err != nil {
		t.Fatal(err)
	}
	pod := d.Spec.Template.Spec
	if d.Kind != "Deployment" || len(pod.Containers) != 1 || pod.Grace < 30 {
		t.Fatalf("it is %+v", d)
	}
	c := pod.Containers[0]
	if c.Live.Get != (get{"/healthz", "health"}) || c.Ready.Get != (get{"/readyz", "health"}) || c.Args[0] != "worker" ||
		len(c.Ports) != 1 || c.Ports[0].Name != "health" ||
		!strings.Contains(dockerfile(t), fmt.Sprintf("EFFERENT_HEALTH=0.0.0.0:%d", c.Ports[0].Port)) {
		t.Errorf("its container is %+v", c)
	}
}

type probe struct {
	Get get `yaml:"httpGet"`
}

type get struct{ Path, Port string }

func dockerfile(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestTask: so is what it has for Fargate.
func TestTask(t *testing.T) {
	for _, text := range blocks(t, "json") {
		var c struct {
			Name        string
			StopTimeout int
			Command     []string
			HealthCheck struct{ Command []string }
		}
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Errorf("%v: %s", err, text)
		}
		probe := []string{"CMD", "/efferent", "health"}
		if c.Name != "" && (c.StopTimeout < 30 || c.Command[0] != "worker" || !slices.Equal(c.HealthCheck.Command, probe)) {
			t.Errorf("it is %+v", c)
		}
	}
}
