package channel

import (
	"errors"
	"net/textproto"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// smtpRefusedSession is the outcome when no mail could even be offered:
// connecting, greeting, TLS or authentication failed. Nobody's recipient is
// known to the server yet, so a 5xx is the configuration's fault.
func smtpRefusedSession(err error, w *wire) Outcome {
	var answer *textproto.Error
	switch {
	case badCertificate(err) || notTLS(err):
		return Lost("SMTP", false, err)
	case errors.As(err, &answer) && answer.Code >= 400 && answer.Code < 500:
		return failed(Transient, answer.Code, "SMTP: the server answered "+strconv.Itoa(answer.Code)+" before the mail was offered")
	case errors.As(err, &answer) && isAuthCode(answer.Code):
		return failed(Configuration, answer.Code, "SMTP: the server refused to authenticate us with "+strconv.Itoa(answer.Code)+
			": check username and password in the secret "+EmailSecret)
	case errors.As(err, &answer):
		return failed(Configuration, answer.Code, "SMTP: the server refused the session with "+strconv.Itoa(answer.Code)+
			": check the secret "+EmailSecret)
	case errors.As(err, new(textproto.ProtocolError)):
		return failed(Configuration, 0, "SMTP: the server does not speak SMTP there: check host, port and tls in the secret "+EmailSecret)
	case w.ctx.Err() != nil: // it is what closed the connection
		return Lost("SMTP", false, w.ctx.Err())
	case w.Conn == nil || w.broken != byNothing:
		return Lost("SMTP", false, err)
	case strings.Contains(err.Error(), "STARTTLS"):
		return failed(Configuration, 0, "SMTP: the server has no STARTTLS: check port and tls in the secret "+EmailSecret)
	}
	return failed(Configuration, 0, "SMTP: the server offers no way to authenticate that may be used: check port, tls and username in "+
		"the secret "+EmailSecret)
}

// isAuthCode: RFC 4954, section 6.
func isAuthCode(code int) bool { return code == 530 || code == 534 || code == 535 || code == 538 }

// smtpRefusedMail is the outcome when the server did not take the mail.
func smtpRefusedMail(err error, w *wire) Outcome {
	var e *gomail.SendError
	if !errors.As(err, &e) {
		return failed(Transient, 0, "SMTP: the mail could not be sent")
	}
	code, enhanced, stage := e.ErrorCode(), e.EnhancedStatusCode(), smtpStage(e.Reason)
	answer := strings.TrimSuffix(strconv.Itoa(code)+" "+enhanced, " ")
	switch {
	case code == 0 && e.Reason == gomail.ErrSMTPDataClose && w.broken != byWrite:
		return failed(Unknown, 0, "SMTP: no answer after the mail was handed over: it may have been taken")
	case code == 0:
		return failed(Transient, 0, "SMTP: connection lost at "+stage)
	case code < 500:
		return failed(Transient, code, "SMTP: "+answer+" at "+stage)
	case isAuthCode(code):
		return failed(Configuration, code, "SMTP: "+answer+" at "+stage+": the server wants another authentication, or TLS")
	case e.Reason == gomail.ErrSMTPMailFrom || isSenderCode(enhanced):
		return failed(Configuration, code, "SMTP: "+answer+" at "+stage+": the server refuses the sender: check from in the secret "+EmailSecret)
	}
	return failed(Permanent, code, "SMTP: "+answer+" at "+stage)
}

// isSenderCode: X.1.7 and X.1.8 are about the sender's address (RFC 3463),
// which servers often look at only when they know the recipient.
func isSenderCode(enhanced string) bool {
	return strings.HasSuffix(enhanced, ".1.7") || strings.HasSuffix(enhanced, ".1.8")
}

func smtpStage(r gomail.SendErrReason) string {
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
