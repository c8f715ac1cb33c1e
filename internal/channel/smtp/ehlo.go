package smtp

import (
	"net"
	"net/netip"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/mailbox"
)

// ehlo is how we introduce ourselves: the configured name, or the machine's
// where that is a full one, or else the address that we come from (RFC 5321,
// section 4.1.1.1: a client without a meaningful name sends an address
// literal). A Lambda function's host name is none.
func (s *Sender) ehlo(conn net.Conn) string {
	if s.c.EHLO != "" {
		return s.c.EHLO
	}
	if name, err := s.hostname(); err == nil && channel.IsFullName(name) {
		return name
	}
	if from, err := netip.ParseAddrPort(conn.LocalAddr().String()); err == nil {
		return mailbox.Literal(from.Addr())
	}
	return "[127.0.0.1]"
}
