package shortage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"
)

func dial(ip string, err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.ParseIP(ip), Port: 443}, Err: err}
}

func lookup(server string, cause ...any) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: fmt.Sprint(cause...), Name: "a.test", Server: server}}
}

// The texts of lookups are what Go 1.26 gives under a low RLIMIT_NOFILE.
func TestIs(t *testing.T) {
	t.Parallel()
	socket := func(err error) error { return os.NewSyscallError("socket", err) }
	connect := func(err error) error { return os.NewSyscallError("connect", err) }
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"no descriptor":                 {dial("192.0.2.1", socket(syscall.EMFILE)), true},
		"no descriptor in the system":   {dial("192.0.2.1", socket(syscall.ENFILE)), true},
		"no buffer":                     {dial("192.0.2.1", connect(syscall.ENOBUFS)), true},
		"no memory":                     {dial("2001:db8::1", socket(syscall.ENOMEM)), true},
		"no port":                       {dial("192.0.2.1", connect(syscall.EADDRNOTAVAIL)), true},
		"no IPv6":                       {dial("::1", connect(syscall.EADDRNOTAVAIL)), false},
		"an error by itself":            {syscall.EADDRNOTAVAIL, true},
		"wrapped":                       {fmt.Errorf("x: %w", &url.Error{Op: "Post", Err: dial("192.0.2.1", socket(syscall.EMFILE))}), true},
		"refused":                       {dial("192.0.2.1", connect(syscall.ECONNREFUSED)), false},
		"unreachable":                   {dial("192.0.2.1", connect(syscall.ENETUNREACH)), false},
		"timed out":                     {dial("192.0.2.1", os.ErrDeadlineExceeded), false},
		"given up":                      {context.DeadlineExceeded, false},
		"closed":                        {io.EOF, false},
		"none":                          {nil, false},
		"another that speaks of it":     {errors.New("too many open files"), false},
		"lookup without a descriptor":   {lookup("10.0.0.2:53", "dial udp 10.0.0.2:53: socket: ", syscall.EMFILE), true},
		"lookup by the C library":       {lookup("", syscall.EMFILE), true},
		"lookup without a port":         {lookup("10.0.0.2:53", "dial udp 10.0.0.2:53: connect: ", syscall.EADDRNOTAVAIL), true},
		"resolv.conf could not be read": {lookup("127.0.0.1:53", "read udp 127.0.0.1:9->127.0.0.1:53: read: ", syscall.ECONNREFUSED), true},
		"nor over IPv6":                 {lookup("[::1]:53", "read udp [::1]:9->[::1]:53: read: ", syscall.ECONNREFUSED), true},
		"the name server refuses":       {lookup("10.0.0.2:53", "read udp 10.0.0.9:9->10.0.0.2:53: read: ", syscall.ECONNREFUSED), false},
		"a lookup that timed out":       {lookup("127.0.0.1:53", "i/o timeout"), false},
		"no such host":                  {&net.DNSError{Err: "no such host", Server: "127.0.0.1:53", IsNotFound: true}, false},
		"no host, by another text":      {&net.DNSError{Err: syscall.EMFILE.Error(), IsNotFound: true}, false},
	} {
		if got := Is(c.err); got != c.want {
			t.Errorf("%s: %v: %t, want %t", name, c.err, got, c.want)
		}
	}
}
