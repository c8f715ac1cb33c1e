package settings_test

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/settings"
)

// TestMaxTemplates: with the directory alone, and where one address has both APIs.
func TestMaxTemplates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 200, "1": 1, "1000": 1000, "0": 0, "1001": 0, "many": 0} {
		get := func(name string) string {
			return map[string]string{settings.MaxTemplates: text, settings.AuditQueueURL: "a", settings.DirectoryTable: "d"}[name]
		}
		d, err := settings.ReadDirectory(get)
		e, err2 := settings.ReadEndpoints(get)
		if (err == nil) != (want > 0) || (err2 == nil) != (want > 0) || want > 0 && (d.MaxTemplates != want || e.MaxTemplates != want) {
			t.Errorf("%q: %d, %v; %d, %v", text, d.MaxTemplates, err, e.MaxTemplates, err2)
		}
	}
}

func TestReadEndpoints(t *testing.T) {
	t.Parallel()
	s, err := settings.ReadEndpoints(func(string) string { return "" })
	if err != nil || s.MaxEndpoints != 20 || s.TokenSecret != "" || s.TenantClaim != "" {
		t.Errorf("got %+v, %v", s, err)
	}
	for text, good := range map[string]bool{"24h": true, "8784h": true, "23h": false, "8785h": false, "14d": false} {
		read := func(name string) string { return map[string]string{settings.EventRetention: text}[name] }
		if _, err := settings.ReadEndpoints(read); (err == nil) != good || err != nil && !strings.Contains(err.Error(), settings.EventRetention) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	for text, good := range map[string]bool{"1": true, "200": true, "0": false, "201": false, "many": false} {
		_, err := settings.ReadEndpoints(func(name string) string {
			if name == settings.MaxEndpoints {
				return text
			}
			return ""
		})
		if (err == nil) != good || err != nil && !strings.Contains(err.Error(), settings.MaxEndpoints) {
			t.Errorf("%s: got %v", text, err)
		}
	}
}
