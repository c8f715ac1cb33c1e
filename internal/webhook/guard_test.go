package webhook

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestGuardAddresses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name    string
		blocked bool
		hosts   string
	}{
		{"public", false, "8.8.8.8 1.1.1.1 93.184.216.34 100.63.255.255 100.128.0.0 172.15.255.255 172.32.0.0 2606:4700::1111 2a00:1450:4001::1"},
		{"loopback", true, "127.0.0.1 127.255.255.254 ::1"},
		{"this host, unspecified", true, "0.0.0.0 0.1.2.3 ::"},
		{"private", true, "10.0.0.1 172.16.0.1 172.31.255.255 192.168.0.1"},
		{"link-local, metadata", true, "169.254.169.254 169.254.170.2 fe80::1"},
		{"metadata by IPv6, unique local", true, "fd00:ec2::254 fc00::1 fdff::1"},
		{"shared", true, "100.64.0.1 100.127.255.255 100.100.100.200"},
		{"multicast, broadcast, reserved", true, "224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 ff02::1 ff0e::1"},
		{"protocol assignments, documentation, benchmarking", true,
			"192.0.0.192 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1"},
		{"mapped and compatible", true, "::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:10.0.0.1 ::127.0.0.1"},
		{"NAT64", true, "64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b::808:808 64:ff9b:1::1"},
		{"6to4, Teredo, relays", true, "2002:7f00:1::1 2001:0:53aa:64c::1 192.88.99.1"},
		{"site-local, discard, segment routing", true, "fec0::1 100::1 5f00::1"},
	}
	g := newGuard(nil, nil, time.Second)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for host := range strings.FieldsSeq(c.hosts) {
				addr := netip.AddrPortFrom(netip.MustParseAddr(host), 8443)
				network := "tcp4"
				if addr.Addr().Is6() {
					network = "tcp6"
				}
				err := g.control(t.Context(), network, addr.String(), nil)
				if errors.Is(err, ErrBlockedAddress) != c.blocked {
					t.Errorf("%s: %v", addr, err)
				}
			}
		})
	}
}

func TestGuardExceptions(t *testing.T) {
	t.Parallel()
	g := newGuard([]netip.Prefix{
		netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd12::/16"),
		netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128"),
	}, nil, time.Second)
	for address, blocked := range map[string]bool{
		"10.1.2.3:80": false, "[fd12::1]:80": false, "127.0.0.1:80": false, "[::1]:80": false, "8.8.8.8:80": false,
		"10.2.0.0:80": true, "[fd13::1]:80": true, "127.0.0.2:80": true, "[::ffff:10.1.2.3]:80": true,
	} {
		network := "tcp4"
		if strings.HasPrefix(address, "[") {
			network = "tcp6"
		}
		if err := g.control(context.Background(), network, address, nil); errors.Is(err, ErrBlockedAddress) != blocked {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestParseAllowHTTP(t *testing.T) {
	t.Parallel()
	loopback := "localhost LOCALHOST. hooks.localhost 127.0.0.1 127.9.9.9 ::1 ::ffff:127.0.0.1"
	cases := []struct{ setting, permitted, refused string }{
		{"", "", loopback + " a.test"},
		{"none", "", loopback + " a.test"},
		{" all ", loopback + " a.test 10.0.0.1", ""},
		{"loopback", loopback, "a.test 10.0.0.1 localhost.a.test notlocalhost 128.0.0.1 0.0.0.0"},
		{"a.test, B.test.", "a.test A.TEST. b.test", "x.a.test localhost 127.0.0.1"},
		{"a.test,loopback", "a.test localhost", "b.test"},
		{"10.0.0.1,[fd00::1],fd00::2", "10.0.0.1 fd00::1 fd00::2", "10.0.0.2 fd00::3"},
	}
	for _, c := range cases {
		allow, err := ParseAllowHTTP(c.setting)
		if err != nil {
			t.Errorf("%q: %v", c.setting, err)
		}
		for host := range strings.FieldsSeq(c.permitted) {
			if !allow.permits(host) {
				t.Errorf("%q refuses %s", c.setting, host)
			}
		}
		for host := range strings.FieldsSeq(c.refused) {
			if allow.permits(host) {
				t.Errorf("%q permits %s", c.setting, host)
			}
		}
	}
	for _, wrong := range []string{",", "a.test,", "http://a.test", "a.test:80", "a.test/x", "*.a.test", "a.test,all", "none,a.test", "a b"} {
		if _, err := ParseAllowHTTP(wrong); err == nil {
			t.Errorf("%q was taken", wrong)
		}
	}
}

func FuzzParseAllowHTTP(f *testing.F) {
	for _, seed := range []string{"", "none", "all", "loopback,a.test", "[::1]", "a:b", ",,"} {
		f.Add(seed, "a.test")
	}
	f.Fuzz(func(t *testing.T, setting, host string) {
		allow, err := ParseAllowHTTP(setting)
		if err == nil && allow.permits(host) && !allow.all && !allow.loopback &&
			!strings.Contains(strings.ToLower(setting), normalHost(host)) {
			t.Fatalf("%q permits %q", setting, host)
		}
	})
}
