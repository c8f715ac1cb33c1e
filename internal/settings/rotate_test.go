package settings

import (
	"strings"
	"testing"
	"time"
)

func TestReadRotate(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"": 24 * time.Hour, "0": 0, "168h": 168 * time.Hour, "169h": -1, "x": -1} {
		s, err := ReadRotate(env(SecretGrace, text))
		if want < 0 && (err == nil || !strings.Contains(err.Error(), SecretGrace)) || want >= 0 && (err != nil || s.SecretGrace != want) {
			t.Errorf("%q: %+v, %v", text, s, err)
		}
	}
}
