//go:build java

package clients

import (
	"testing"

	"github.com/efferent/efferent/e2e/ministack"
)

// TestJava needs a JDK and Maven, and MINISTACK for the S3 of the extended client.
func TestJava(t *testing.T) {
	s3 := ministack.Start(t, false)
	run(t, "java", []string{"AWS_ENDPOINT_URL=" + endpoint(t), "S3_ENDPOINT_URL=" + s3.URL}, "mvn", "--batch-mode", "--quiet", "test")
}
