package smtp

import (
	"errors"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/efferent/efferent/internal/channel"
)

// stage is where in a mail's commands something happened.
type stage string

const (
	atMail    stage = "MAIL FROM"
	atRcpt    stage = "RCPT TO"
	atData    stage = "DATA"
	atContent stage = "the mail's content"
	atEnd     stage = "the mail's end"
)

// said adds the server's answer to the outcome that was made of it.
func (s *Sender) said(o channel.Outcome, err error) channel.Outcome {
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return o.Saying(strconv.Itoa(answer.Code)+" "+answer.Msg, s.c.Password)
	}
	return o
}

// refusedSession is the outcome when no mail could even be offered: connecting,
// greeting, TLS or authentication failed. Nobody's recipient is known to the
// server yet, so a 5xx is the configuration's fault.
func refusedSession(err error, w *wire) channel.Outcome {
	if lost := channel.Lost("SMTP", false, 0, err); lost.Class == channel.Configuration { // TLS
		return lost
	}
	var answer *textproto.Error
	switch {
	case errors.As(err, &answer):
		return refusedBy(answer.Code, answer.Msg)
	case errors.As(err, new(textproto.ProtocolError)):
		return misconfigured(0, "the server does not speak SMTP there: check host, port and tls")
	case w.ctx.Err() != nil: // it is what closed the connection
		return channel.Lost("SMTP", false, 0, w.ctx.Err())
	case w.Conn == nil || w.broken != byNothing:
		return channel.Lost("SMTP", false, 0, err)
	case strings.Contains(err.Error(), "STARTTLS"):
		return misconfigured(0, "the server has no STARTTLS: check port and tls")
	}
	return misconfigured(0, "the server offers no way to authenticate that may be used: check port, tls and username")
}

func refusedBy(code int, text string) channel.Outcome {
	answer := strconv.Itoa(code)
	switch {
	case code >= 400 && code < 500:
		return refusedNow(code, text, "SMTP: the server answered "+answer+" before the mail was offered")
	case isAuthCode(code):
		return misconfigured(code, "the server refused to authenticate us with "+answer+": check username and password")
	}
	return misconfigured(code, "the server refused the session with "+answer+": check host, port and ehlo")
}

// misconfigured is the outcome that the secret is to blame for.
func misconfigured(code int, what string) channel.Outcome {
	return channel.Failed(channel.Configuration, code, "SMTP: "+what+" in the secret "+channel.EmailSecret)
}

// isAuthCode: RFC 4954, section 6.
func isAuthCode(code int) bool { return code == 530 || code == 534 || code == 535 || code == 538 }

// refusedMail is the outcome when the server did not take the mail.
func refusedMail(at stage, err error, w *wire) channel.Outcome {
	var answer *textproto.Error
	if !errors.As(err, &answer) {
		if at == atEnd && w.broken != byWrite {
			return channel.Failed(channel.Unknown, 0, "SMTP: no answer after the mail was handed over: it may have been taken")
		}
		return channel.Failed(channel.Transient, 0, "SMTP: connection lost at "+string(at))
	}
	code, enhanced := answer.Code, enhancedCode.FindString(answer.Msg)
	what := strings.TrimSuffix(strconv.Itoa(code)+" "+enhanced, " ") + " at " + string(at)
	ours := fault(at, code, enhanced, answer.Msg)
	switch {
	// That it does not relay Postfix says with a 454 unless told otherwise.
	case ours == byRelay, ours != "" && code >= 500:
		return misconfigured(code, what+": "+ours)
	case code < 500:
		return refusedNow(code, answer.Msg, strings.TrimSuffix("SMTP: "+what+": "+ours, ": "))
	}
	return channel.Failed(channel.Permanent, code, "SMTP: "+what)
}
