// Package compose reads compose.yaml as Docker Compose does, with its own library.
// It is a module of its own: nothing else here links that.
package compose

import (
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
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
