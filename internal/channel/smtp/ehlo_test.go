package smtp

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/channel"
)

// at is a connection from an address.
type at struct {
	net.Conn
	address string
}

func (a at) LocalAddr() net.Addr {
	ip, _ := net.ResolveTCPAddr("tcp", a.address)
	return ip
}

func TestEHLO(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ configured, host, address, want string }{
		{"mail.acme.test", "host.acme.test", "192.0.2.1:40000", "mail.acme.test"},
		{"[192.0.2.9]", "host.acme.test", "192.0.2.1:40000", "[192.0.2.9]"},
		{"", "ip-10-0-0-5.eu-north-1.compute.internal", "10.0.0.5:40000", "ip-10-0-0-5.eu-north-1.compute.internal"},
		{"", "laptop", "192.0.2.1:40000", "[192.0.2.1]"},
		{"", "169.254.10.1", "10.0.0.5:40000", "[10.0.0.5]"}, // a Lambda function's
		{"", "my_host.acme.test", "192.0.2.1:40000", "[192.0.2.1]"},
		{"", "laptop", "[2001:db8::1]:40000", "[IPv6:2001:db8::1]"},
		{"", "laptop", "[::ffff:192.0.2.1]:40000", "[192.0.2.1]"},
		{"", "", "192.0.2.1:40000", "[192.0.2.1]"},
	} {
		s := Sender{c: channel.EmailConfig{EHLO: c.configured}, hostname: func() (string, error) {
			if c.host == "" {
				return "", errors.New("no name")
			}
			return c.host, nil
		}}
		if got := s.ehlo(at{address: c.address}); got != c.want {
			t.Errorf("%+v: got %q", c, got)
		}
	}
}

// TestEHLOIsSaid: to the server, and again after STARTTLS.
func TestEHLOIsSaid(t *testing.T) {
	t.Parallel()
	for configured, want := range map[string]string{"mail.acme.test": "EHLO mail.acme.test", "": "EHLO [127.0.0.1]"} {
		m := &mailServer{extensions: []string{"STARTTLS"}}
		ctx := m.start(t)
		s := m.sender(channel.EmailConfig{TLS: channel.TLSStart, EHLO: configured})
		s.hostname = func() (string, error) { return "laptop", nil }
		if out := s.Send(ctx, aMail()); !out.Sent() {
			t.Errorf("%+v", out)
		}
		said := 0
		for _, line := range m.commands {
			if strings.HasPrefix(line, "EHLO") {
				said++
				if line != want && line != "EHLO [::1]" {
					t.Errorf("it said %q, want %q", line, want)
				}
			}
		}
		if said != 2 {
			t.Errorf("it said %v", m.commands)
		}
	}
}
