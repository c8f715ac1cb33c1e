package standin

import (
	"io"
	"log"

	"github.com/emersion/go-smtp"

	"github.com/efferent/efferent/internal/channel"
)

// mailServer takes mail without TLS or a password: it is on this machine.
func (p *Providers) mailServer() *smtp.Server {
	s := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		return &session{providers: p, conn: c}, nil
	}))
	s.Domain, s.EnableSMTPUTF8 = "localhost", true
	s.ErrorLog = log.New(io.Discard, "", 0)
	return s
}

// session is one SMTP session. Of several recipients the last one's answer holds.
type session struct {
	providers *Providers
	conn      *smtp.Conn
	to        []string
	answer    Answer
}

func (s *session) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt refuses as mail servers do. A refused sender is told of at the
// recipient too, as servers that check relaying do.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.answer = s.providers.answer(channel.Email, to)
	switch s.answer {
	case Never:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user here"}
	case Later:
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 2}, Message: "Try again later"}
	case Relay:
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "Relaying denied"}
	case Refuse:
		return &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "Authentication required"}
	}
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	for _, to := range s.to {
		s.providers.keep(Message{On: channel.Email, To: to, Text: string(text)})
	}
	if s.answer == Lose {
		s.conn.Conn().Close()
	}
	return nil
}

func (s *session) Reset()        { s.to = nil }
func (s *session) Logout() error { return nil }
