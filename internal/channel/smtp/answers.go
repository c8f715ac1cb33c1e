package smtp

import (
	"errors"
	"net/textproto"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/efferent/efferent/internal/channel"
)

// refusedSession is the outcome when no mail could even be offered: connecting,
// greeting, TLS or authentication failed. Nobody's recipient is known to the
// server yet, so a 5xx is the configuration's fault.
func refusedSession(err error, w *wire) channel.Outcome {
	if lost := channel.Lost("SMTP", false, err); lost.Class == channel.Configuration { // TLS
		return lost
	}
	var answer *textproto.Error
	switch {
	case errors.As(err, &answer):
		return refusedBy(answer.Code)
	case errors.As(err, new(textproto.ProtocolError)):
		return misconfigured(0, "the server does not speak SMTP there: check host, port and tls")
	case w.ctx.Err() != nil: // it is what closed the connection
		return channel.Lost("SMTP", false, w.ctx.Err())
	case w.Conn == nil || w.broken != byNothing:
		return channel.Lost("SMTP", false, err)
	case strings.Contains(err.Error(), "STARTTLS"):
		return misconfigured(0, "the server has no STARTTLS: check port and tls")
	}
	return misconfigured(0, "the server offers no way to authenticate that may be used: check port, tls and username")
}

func refusedBy(code int) channel.Outcome {
	answer := strconv.Itoa(code)
	switch {
	case code >= 400 && code < 500:
		return channel.Failed(channel.Transient, code, "SMTP: the server answered "+answer+" before the mail was offered")
	case isAuthCode(code):
		return misconfigured(code, "the server refused to authenticate us with "+answer+": check username and password")
	}
	return misconfigured(code, "the server refused the session with "+answer+": check host and port")
}

// misconfigured is the outcome that the secret is to blame for.
func misconfigured(code int, what string) channel.Outcome {
	return channel.Failed(channel.Configuration, code, "SMTP: "+what+" in the secret "+channel.EmailSecret)
}

// isAuthCode: RFC 4954, section 6.
func isAuthCode(code int) bool { return code == 530 || code == 534 || code == 535 || code == 538 }

// refusedMail is the outcome when the server did not take the mail.
func refusedMail(err error, w *wire) channel.Outcome {
	var e *gomail.SendError
	if !errors.As(err, &e) {
		return channel.Failed(channel.Transient, 0, "SMTP: the mail could not be sent")
	}
	code, enhanced, stage := e.ErrorCode(), e.EnhancedStatusCode(), stageOf(e.Reason)
	answer := strings.TrimSuffix(strconv.Itoa(code)+" "+enhanced, " ")
	switch {
	case code == 0 && e.Reason == gomail.ErrSMTPDataClose && w.broken != byWrite:
		return channel.Failed(channel.Unknown, 0, "SMTP: no answer after the mail was handed over: it may have been taken")
	case code == 0:
		return channel.Failed(channel.Transient, 0, "SMTP: connection lost at "+stage)
	case code < 500:
		return channel.Failed(channel.Transient, code, "SMTP: "+answer+" at "+stage)
	case isAuthCode(code):
		return channel.Failed(channel.Configuration, code, "SMTP: "+answer+" at "+stage+": the server wants another authentication, or TLS")
	case e.Reason == gomail.ErrSMTPMailFrom || isSenderCode(enhanced):
		return misconfigured(code, answer+" at "+stage+": the server refuses the sender: check from")
	}
	return channel.Failed(channel.Permanent, code, "SMTP: "+answer+" at "+stage)
}

// isSenderCode: X.1.7 and X.1.8 are about the sender's address (RFC 3463),
// which servers often look at only when they know the recipient.
func isSenderCode(enhanced string) bool {
	return strings.HasSuffix(enhanced, ".1.7") || strings.HasSuffix(enhanced, ".1.8")
}

func stageOf(r gomail.SendErrReason) string {
	switch r {
	case gomail.ErrSMTPMailFrom:
		return "MAIL FROM"
	case gomail.ErrSMTPRcptTo:
		return "RCPT TO"
	case gomail.ErrSMTPData:
		return "DATA"
	case gomail.ErrSMTPDataClose:
		return "the mail's end"
	case gomail.ErrWriteContent:
		return "the mail's content"
	}
	return "the start"
}
