package awss3

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// TestTimeOfATry: an object has more time than other calls, where these are
// bounded, and never less.
func TestTimeOfATry(t *testing.T) {
	t.Parallel()
	for of, want := range map[time.Duration]time.Duration{0: 0, 2 * time.Second: objectTime, time.Minute: time.Minute} {
		c := NewClient(aws.Config{Region: "us-east-1", HTTPClient: awshttp.NewBuildableClient().WithTimeout(of)})
		if got := c.Options().HTTPClient.(*awshttp.BuildableClient).GetTimeout(); got != want {
			t.Errorf("of %v it makes %v, want %v", of, got, want)
		}
	}
}
