//go:build java

package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestProducersInJava needs a JDK of 17 or newer and Maven, which finds the SDK as
// e2e/clients/java has it.
func TestProducersInJava(t *testing.T) {
	path := filepath.Join(t.TempDir(), "classpath")
	maven := exec.CommandContext(t.Context(), "mvn", "--batch-mode", "--quiet", "dependency:build-classpath", "-Dmdep.outputFile="+path)
	maven.Dir = "../clients/java"
	if out, err := maven.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	classpath, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	newProducers(t).deliver(t, "java", "Send.java", nothing, "java", "-cp", strings.TrimSpace(string(classpath)), "Send.java")
}
