package efferent

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// What AWS takes of a tag ("Tag naming limits and requirements").
const mostTags = 50

var (
	tagKey   = regexp.MustCompile(`^[\p{L}\p{N}\p{Z}_.:/=+@-]{1,128}$`)
	tagValue = regexp.MustCompile(`^[\p{L}\p{N}\p{Z}_.:/=+@-]{0,256}$`)
)

func checkTags(tags map[string]string) error {
	if len(tags) > mostTags {
		return fmt.Errorf("prop Tags: %d, and AWS takes %d of a resource", len(tags), mostTags)
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value := tags[key]
		wrong := !tagKey.MatchString(key) || strings.HasPrefix(strings.ToLower(key), "aws:")
		if wrong || !*awscdk.Token_IsUnresolved(value) && !tagValue.MatchString(value) {
			return fmt.Errorf("prop Tags: %q: a key has 1 to 128 and a value up to 256 letters, digits, spaces and _.:/=+-@, "+
				"and aws: is AWS's own", key+"="+value)
		}
	}
	return nil
}

// tag has everything that takes tags have these.
func tag(scope constructs.Construct, tags map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		awscdk.Tags_Of(scope).Add(jsii.String(key), jsii.String(tags[key]), nil)
	}
}
