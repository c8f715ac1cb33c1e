package settings

import (
	"strings"
	"testing"
	"time"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestReadDelivery(t *testing.T) {
	t.Parallel()
	d, err := ReadWebhooks(env())
	if err != nil || d.MaxReceives != 6 || d.AuditLanes != 4 || len(d.AllowCIDRs) != 0 || d.Timeout != 10*time.Second ||
		d.ResponseLimit != 1024 || d.SecretGrace != 24*time.Hour ||
		d.Redaction != (Redaction{"efferent/ledger/keys", false}) {
		t.Errorf("defaults: %+v, %v", d, err)
	}
	d, err = ReadWebhooks(env(RetryPolicies, "x=1s,2s", AllowCIDRs, " 10.1.2.3/16 , fd00::/8,", MaxReceives, "7", SecretTTL, "90s",
		Timeout, "1500ms", ResponseLimit, "4096", AuditLanes, "1", LedgerKeysSecret, "arn:k", LedgerShowPaths, "true",
		SecretGrace, "90m"))
	if err != nil || d.MaxReceives != 7 || d.SecretTTL != 90*time.Second || d.Timeout != 1500*time.Millisecond || d.ResponseLimit != 4096 ||
		len(d.AllowCIDRs) != 2 || d.SecretGrace != 90*time.Minute ||
		d.Redaction != (Redaction{"arn:k", true}) ||
		d.AllowCIDRs[0].String() != "10.1.0.0/16" {
		t.Errorf("got %+v, %v", d, err)
	}
	if p, err := d.Policies.Lookup("x"); err != nil || p.Attempts() != 3 {
		t.Errorf("policy x is %+v, %v", p, err)
	}
}

func TestReadDeliveryNamesAllThatIsWrong(t *testing.T) {
	t.Parallel()
	_, err := ReadWebhooks(env(RetryPolicies, "slow=25h", AllowHTTP, "http://a", AllowCIDRs, "10.0.0.1", MaxReceives, "1", AuditLanes, "many",
		SecretTTL, "-1s", LedgerShowPaths, "yes"))
	if err == nil {
		t.Fatal("all of it was taken")
	}
	for _, want := range []string{RetryPolicies, `"slow"`, AllowHTTP, AllowCIDRs, `"10.0.0.1"`, MaxReceives, `"1"`, AuditLanes, `"many"`,
		SecretTTL, LedgerShowPaths, `"yes"`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
}

func TestReadDeployed(t *testing.T) {
	t.Parallel()
	_, err := ReadDeliverPlaces(env(WebhooksQueueURL, "w", AuditQueueURL, "a", AttemptsTable, "t", WaitingTable, "r", CircuitsTable, "c",
		PaceTable, "p", EndpointsTable, "e"))
	if err != nil {
		t.Error(err)
	}
	_, err = ReadDeliverPlaces(env(WebhooksQueueURL, "w"))
	if err == nil || !strings.Contains(err.Error(), AuditQueueURL) || !strings.Contains(err.Error(), AttemptsTable) ||
		!strings.Contains(err.Error(), WaitingTable) ||
		strings.Contains(err.Error(), WebhooksQueueURL) {
		t.Errorf("got %v", err)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ good, bad []string }{
		Timeout:       {[]string{"1s", "20s"}, []string{"999ms", "20001ms", "0", "10", "-1s", "soon"}},
		ResponseLimit: {[]string{"0", "4096"}, []string{"-1", "4097", "1KiB"}},
		MaxReceives:   {[]string{"2", "1000"}, []string{"1", "1001"}},
		SecretGrace:   {[]string{"0", "0s", "168h"}, []string{"-1s", "168h1ns", "24", "1d"}},
		MaxHeld:       {[]string{"1m", "336h"}, []string{"59s", "337h", "6", "-1h"}},
	} {
		for _, text := range c.good {
			if _, err := ReadWebhooks(env(name, text)); err != nil {
				t.Error(err)
			}
		}
		for _, text := range c.bad {
			if _, err := ReadWebhooks(env(name, text)); err == nil || !strings.Contains(err.Error(), name) ||
				!strings.Contains(err.Error(), `"`+text+`"`) {
				t.Errorf("%s=%s: got %v", name, text, err)
			}
		}
	}
}

// TestProxies: none is needed, and none trusted to guard names, unasked.
func TestProxies(t *testing.T) {
	t.Parallel()
	d, err := ReadWebhooks(env(Proxy, "http://proxy.internal:3128", ProxyResolves, "true", AllowPorts, "443,8000-8999"))
	if o := d.Client(); err != nil || o.Proxy.String() != "http://proxy.internal:3128" || !o.ProxyResolves || len(o.AllowPorts) != 2 {
		t.Errorf("got %+v, %v", o, err)
	}
	if d, err = ReadWebhooks(env()); err != nil || d.Proxy != nil || d.ProxyResolves || d.AllowPorts != nil {
		t.Errorf("unasked: %+v, %v", d, err)
	}
	if d, err = ReadWebhooks(env(Proxy, "http://proxy.internal:3128")); err != nil || d.ProxyResolves {
		t.Errorf("a proxy is given names unasked: %v", err)
	}
	for name, set := range map[string][]string{
		ProxyResolves: {ProxyResolves, "true"}, Proxy: {Proxy, "http://u:hush@a:1"}, AllowPorts: {AllowPorts, "https"},
	} {
		if _, err := ReadWebhooks(env(set...)); err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: got %v, want it to name %s", set, err, name)
		}
	}
	n, err := ReadNotifications(env(Proxy, "http://proxy.internal:3128", ChannelSecrets, "efferent/prod/"))
	if err != nil || n.Proxy == nil || n.ChannelSecrets != "efferent/prod/" {
		t.Errorf("notifications: %+v, %v", n, err)
	}
	if n, err = ReadNotifications(env()); err != nil || n.Proxy != nil || n.ChannelSecrets != "efferent/" {
		t.Errorf("notifications, unasked: %+v, %v", n, err)
	}
	if _, err = ReadNotifications(env(ChannelSecrets, "prod/")); err == nil || !strings.Contains(err.Error(), ChannelSecrets) {
		t.Errorf("secrets of others: %v", err)
	}
}

// TestClient: what is set is what webhooks are sent by.
func TestClient(t *testing.T) {
	t.Parallel()
	for limit, want := range map[string]int{"": 1024, "0": -1, "1": 1, "4096": 4096} {
		d, err := ReadWebhooks(env(AllowCIDRs, "10.0.0.0/8", Timeout, "3s", ResponseLimit, limit))
		if o := d.Client(); err != nil || o.Response != want || o.Timeout != 3*time.Second || len(o.AllowPrefixes) != 1 {
			t.Errorf("%q: %+v, %v", limit, o, err)
		}
	}
}
