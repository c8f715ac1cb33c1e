package settings

import (
	"strings"
	"testing"
)

// TestMetrics: each function that writes metrics heeds it, and a wrong value is told of.
func TestMetrics(t *testing.T) {
	t.Parallel()
	few := map[string]func(func(string) string) (bool, error){
		"webhooks": func(get func(string) string) (bool, error) { s, err := ReadWebhooks(get); return s.FewMetrics, err },
		"notifications": func(get func(string) string) (bool, error) {
			s, err := ReadNotifications(get)
			return s.FewMetrics, err
		},
		"audit":  func(get func(string) string) (bool, error) { s, err := ReadAudit(get); return s.FewMetrics, err },
		"replay": func(get func(string) string) (bool, error) { s, err := ReadReplayPlaces(get); return s.FewMetrics, err },
		"release": func(get func(string) string) (bool, error) {
			s, err := ReadReleasePlaces(get)
			return s.FewMetrics, err
		},
	}
	for name, read := range few {
		for value, want := range map[string]bool{"": false, "all": false, "alarms": true, "some": false} {
			got, err := read(func(of string) string {
				if of == Metrics {
					return value
				}
				return ""
			})
			if got != want || (err != nil && strings.Contains(err.Error(), Metrics)) != (value == "some") {
				t.Errorf("%s, %q: %v, %v", name, value, got, err)
			}
		}
	}
}
