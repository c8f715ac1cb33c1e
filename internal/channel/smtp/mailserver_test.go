package smtp

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// mailServer is a scripted SMTP server for one session after another. It does
// as it is told at each step: "greeting", a command's verb, "." for the end of
// a mail.
type mailServer struct {
	// says is the answer at a step, where it is not the usual one.
	says map[string]string
	// refuses are the answers to recipients by what is before the @.
	refuses map[string]string
	// extensions are what EHLO offers.
	extensions []string
	// cut is the step at which it ends the connection without an answer, hang
	// that at which the caller gives up.
	cut, hang string
	implicit  bool
	giveUp    context.CancelFunc

	port      int
	authority *x509.CertPool
	tls       *tls.Config

	mu         sync.Mutex
	open, most int // sessions at a time
	once       map[string]string
	commands   []string
	mails      []string
}

func (m *mailServer) start(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	m.giveUp = cancel
	m.makeCertificate(t)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m.port = listener.Addr().(*net.TCPAddr).Port
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { m.session(conn) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		sessions.Wait()
	})
	return ctx
}

// makeCertificate makes a certificate of an authority of its own, for the name
// localhost.
func (m *mailServer) makeCertificate(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	m.authority = x509.NewCertPool()
	m.authority.AddCert(leaf)
	m.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
}

// session ends when the connection does.
func (m *mailServer) session(conn net.Conn) {
	m.count(1)
	defer func() { m.count(-1); conn.Close() }()
	if m.implicit {
		conn = tls.Server(conn, m.tls)
	}
	in := bufio.NewReader(conn)
	if !m.step(conn, "greeting", "220 mx ESMTP") {
		return
	}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		m.note(line)
		verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
		switch {
		case !m.step(conn, verb, m.recipient(line, m.usual(verb))):
			return
		case verb == "QUIT":
			return
		case verb == "STARTTLS" && m.says[verb] == "":
			conn = tls.Server(conn, m.tls)
			in = bufio.NewReader(conn)
		case verb == "DATA" && m.says[verb] == "":
			if !m.mail(conn, in) {
				return
			}
		}
	}
}

// recipient is the answer to who is refused.
func (m *mailServer) recipient(line, usual string) string {
	to, ok := strings.CutPrefix(line, "RCPT TO:<")
	local, _, _ := strings.Cut(to, "@")
	if said := m.refuses[local]; ok && said != "" {
		return said
	}
	return usual
}

func (m *mailServer) usual(verb string) string {
	switch verb {
	case "EHLO":
		return "250-" + strings.Join(append([]string{"mx", "ENHANCEDSTATUSCODES"}, m.extensions...), "\r\n250-") + "\r\n250 HELP"
	case "STARTTLS":
		return "220 go ahead"
	case "AUTH":
		return "235 2.7.0 welcome"
	case "DATA":
		return "354 go ahead"
	case "QUIT":
		return "221 bye"
	}
	return "250 2.0.0 ok"
}

// mail reads a mail to its end and answers it.
func (m *mailServer) mail(conn net.Conn, in *bufio.Reader) bool {
	var all strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		all.WriteString(strings.TrimPrefix(line, "."))
	}
	m.mu.Lock()
	m.mails = append(m.mails, all.String())
	m.mu.Unlock()
	return m.step(conn, ".", "250 2.0.0 queued")
}

// step answers, or ends the session.
func (m *mailServer) step(conn net.Conn, at, usual string) bool {
	switch at {
	case m.cut:
		return false
	case m.hang:
		m.giveUp()
		_, _ = conn.Read(make([]byte, 1)) // until the client is gone
		return false
	}
	if said, ok := m.says[at]; ok {
		usual = said
	}
	if said := m.saysOnce(at); said != "" {
		usual = said
	}
	_, err := conn.Write([]byte(usual + "\r\n"))
	return err == nil
}

// saysOnce is what it says of a step but the first time, once.
func (m *mailServer) saysOnce(at string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	said := m.once[at]
	if said != "" && len(m.mails) > 0 {
		delete(m.once, at)
		return said
	}
	return ""
}

func (m *mailServer) count(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.open += n
	m.most = max(m.most, m.open)
}

func (m *mailServer) note(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commands = append(m.commands, line)
}

// got returns what was sent: the commands but for their data, and the mails.
func (m *mailServer) got() (verbs, mails []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, c := range m.commands {
		verb, _, _ := strings.Cut(c, " ")
		verbs = append(verbs, verb)
	}
	return verbs, slices.Clone(m.mails)
}
