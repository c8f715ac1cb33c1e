//go:build mail

package mail

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/e2e/program"
)

// servers are Postfix, which asks postgrey and delivers into a directory, and Dovecot,
// which shows it by IMAP. All of them are Debian's, and want root.
type servers struct {
	dir        string
	smtp, imap int
}

// nobody owns the mailboxes.
const nobody = 65534

// startServers starts them; settings are added to Postfix's.
func startServers(t *testing.T, settings ...string) *servers {
	t.Helper()
	if os.Getuid() != 0 {
		t.Fatal("Postfix wants to be started by root")
	}
	dir, err := os.MkdirTemp("", "mail") // short, and open to the servers' own users
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s := &servers{dir: dir, smtp: freePort(t), imap: freePort(t)}
	for name, mode := range map[string]os.FileMode{"": 0o755, "etc": 0o755, "queue": 0o755, "data": 0o755, "grey": 0o755, "mail": 0o777,
		"run": 0o755} {
		if err := os.MkdirAll(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
			t.Fatal(err)
		}
	}
	s.run(t, "chown", "postfix", filepath.Join(dir, "data"))
	s.run(t, "chown", "postgrey", filepath.Join(dir, "grey"))
	s.startPostgrey(t, settings)
	s.startPostfix(t)
	s.startDovecot(t)
	return s
}

func (s *servers) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v, %s", name, err, out)
	}
	return string(out)
}

func (s *servers) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(strings.ReplaceAll(text, "DIR", s.dir)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// until waits for a server to listen; a test's own deadline ends it.
func until(t *testing.T, port int) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	for {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// background runs a server in the foreground of its own until the test ends.
func (s *servers) background(t *testing.T, port int, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: apt-get install postfix postgrey dovecot-imapd", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
	})
	until(t, port)
}

// greyDelay is after how long who was refused is taken: the first retry, after a
// second, still is not.
const greyDelay = 2

func (s *servers) startPostgrey(t *testing.T, settings []string) {
	t.Helper()
	port := freePort(t)
	s.background(t, port, "postgrey", fmt.Sprintf("--inet=127.0.0.1:%d", port), fmt.Sprintf("--delay=%d", greyDelay),
		"--dbdir="+filepath.Join(s.dir, "grey"), "--user=postgrey", "--group=postgrey")
	s.write(t, "etc/main.cf", `compatibility_level = 3.6
queue_directory = DIR/queue
data_directory = DIR/data
daemon_directory = /usr/lib/postfix/sbin
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.acme.test
mydestination =
local_recipient_maps =
mynetworks = 192.0.2.0/24
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
maillog_file = DIR/mail.log
maillog_file_prefixes = DIR
virtual_mailbox_domains = acme.test
virtual_mailbox_base = DIR/mail
virtual_mailbox_maps = inline:{ ann@acme.test=ann/ bob@acme.test=bob/ caro@acme.test=caro/ eve@acme.test=eve/ }
virtual_uid_maps = static:`+strconv.Itoa(nobody)+`
virtual_gid_maps = static:`+strconv.Itoa(nobody)+`
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = reject_unauth_destination, reject_unlisted_recipient,
	check_policy_service inet:127.0.0.1:`+strconv.Itoa(port)+`
`+strings.Join(settings, "\n")+"\n")
}

func (s *servers) startPostfix(t *testing.T) {
	t.Helper()
	s.write(t, "etc/master.cf", fmt.Sprintf(`127.0.0.1:%d inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
virtual unix - n n - - virtual
error unix - - n - - error
retry unix - - n - - error
proxymap unix - - n - - proxymap
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`, s.smtp))
	etc := filepath.Join(s.dir, "etc")
	s.run(t, "postfix", "-c", etc, "start")
	t.Cleanup(func() {
		_ = exec.Command("postfix", "-c", etc, "stop").Run()
		if t.Failed() {
			log, _ := os.ReadFile(filepath.Join(s.dir, "mail.log"))
			t.Logf("Postfix: %s", log)
		}
	})
	until(t, s.smtp)
}

func (s *servers) startDovecot(t *testing.T) {
	t.Helper()
	s.write(t, "dovecot.conf", fmt.Sprintf(`base_dir = DIR/run
state_dir = DIR/run
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:DIR/mail/%%n
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=%d gid=%d home=DIR/mail/%%n
}
service imap-login {
  inet_listener imap {
    port = %d
  }
  inet_listener imaps {
    port = 0
  }
}
`, nobody, nobody, s.imap))
	s.background(t, s.imap, "dovecot", "-F", "-c", filepath.Join(s.dir, "dovecot.conf"))
}

func freePort(t *testing.T) int {
	t.Helper()
	address, err := program.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	_, text, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return port
}
