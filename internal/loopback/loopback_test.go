package loopback_test

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/loopback"
)

func TestIs(t *testing.T) {
	t.Parallel()
	for want, hosts := range map[bool]string{
		true: "localhost LOCALHOST localhost. LocalHost. a.localhost a.b.LOCALHOST. 127.0.0.1 127.255.255.254 " +
			"::1 [::1] 0:0:0:0:0:0:0:1 ::ffff:127.0.0.1 [::ffff:127.9.9.9]",
		false: "a.test localhost.a.test notlocalhost localhost.. 128.0.0.1 0.0.0.0 :: [::] 10.0.0.1 ::ffff:10.0.0.1 " +
			"127.0.0.1.a.test 127.1 localhost:80 127.0.0.1:80 [::1 ::1] 127.0.0.1. .",
	} {
		for host := range strings.FieldsSeq(hosts) {
			if loopback.Is(host) != want {
				t.Errorf("%s: want %v", host, want)
			}
		}
	}
	if loopback.Is("") {
		t.Error("the empty host is loopback")
	}
}
