package rotate

import (
	"testing"
	"time"
)

func TestOrigin(t *testing.T) {
	t.Parallel()
	o := origin{noon, "51f72378-6a5d-5dc7-8fd8-29e4319f482a"}
	if got, ok := findOrigin([]string{"AWSPENDING", o.label()}); !ok || !got.at.Equal(noon) || got.version != o.version {
		t.Errorf("%s is read as %+v", o.label(), got)
	}
	for _, label := range []string{"", "AWSPENDING", "1764158400-x", originPrefix, originPrefix + "x-y", originPrefix + "1764158400",
		originPrefix + "1764158400-"} {
		if got, ok := findOrigin([]string{label}); ok {
			t.Errorf("%q is read as %+v", label, got)
		}
	}
	if early := (origin{time.Unix(-1, 0), "v"}); !isOrigin(early.label()) {
		t.Error(early.label())
	}
}
