package settings

import (
	"slices"
	"strings"
	"testing"
)

// TestNotifications: what holds for signed webhooks holds for those of notifications.
func TestNotifications(t *testing.T) {
	t.Parallel()
	n, err := ReadNotifications(env(Attachments, "acme-files/invoices/, acme-public,", AllowHTTP, "loopback", AllowCIDRs, "10.0.0.0/8",
		AllowPorts, "443", CABundle, "efferent/ca"))
	o := n.Client()
	if err != nil || !slices.Equal(n.Attachments, []string{"acme-files/invoices/", "acme-public/"}) || len(o.AllowPrefixes) != 1 ||
		len(o.AllowPorts) != 1 || n.CABundle != "efferent/ca" {
		t.Errorf("%+v, %v", n, err)
	}
	if n, err := ReadNotifications(env()); err != nil || len(n.Attachments) != 0 {
		t.Errorf("%+v, %v", n, err)
	}
	for name, text := range map[string]string{
		"a wildcard": "acme-files/*", "any bucket": "*", "a URL": "s3://acme-files/", "no bucket": "/invoices", "capitals": "Acme/invoices",
		"a variable": "acme-files/${aws:username}", "a space": "acme-files/a b",
	} {
		if _, err := ReadNotifications(env(Attachments, text)); err == nil || !strings.Contains(err.Error(), Attachments) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadNotifications(env(ProxyResolves, "true")); err == nil || !strings.Contains(err.Error(), "there is no proxy") {
		t.Error(err)
	}
}
