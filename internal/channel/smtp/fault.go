package smtp

import (
	"regexp"
	"strings"
)

// enhancedCode is at the beginning of an answer's text (RFC 2034).
var enhancedCode = regexp.MustCompile(`^[245]\.[0-9]{1,3}\.[0-9]{1,3}\b`)

// What we are to blame for, and the fields to look at.
const (
	byAuth   = "the server wants another authentication, or TLS: check username, password and tls"
	bySender = "the server refuses the sender: check from"
	byDomain = "the sender's domain does not pass SPF, DKIM or DMARC: check its DNS, and from"
	byRelay  = "the server does not relay for us: check host, username and password"
	byEHLO   = "the server refuses our name: check ehlo"
	byHost   = "the server refuses mail from this address, or has stopped our account: check host and username"
)

// faults are the subjects and details of enhanced codes that are about us, not
// the recipient: RFC 3463, RFC 7372 (SPF and DKIM), RFC 7505 (10), the registry
// of them at IANA, and what Gmail ("SMTP errors and codes") and Exchange Online
// ("NDR codes") add.
var faults = map[string]string{
	".1.7": bySender, ".1.8": bySender, ".7.27": bySender, ".7.60": bySender, ".2.252": bySender, ".7.750": bySender,
	".7.4": byAuth, ".7.8": byAuth, ".7.9": byAuth, ".7.10": byAuth, ".7.11": byAuth, ".7.12": byAuth,
	".7.13": byAuth, ".7.14": byAuth, ".7.29": byAuth, ".7.57": byAuth,
	".7.20": byDomain, ".7.21": byDomain, ".7.22": byDomain, ".7.23": byDomain, ".7.24": byDomain, ".7.26": byDomain,
	".7.30": byDomain, ".7.32": byDomain, ".7.40": byDomain, ".7.509": byDomain, ".7.515": byDomain,
	".7.54": byRelay, ".7.64": byRelay,
	".7.25": byHost, ".4.5": byHost, ".7.501": byHost, ".7.502": byHost, ".7.503": byHost, ".7.511": byHost, ".7.705": byHost,
	".7.708": byHost,
}

// texts are what servers say of us where the code leaves it open, most of all
// 5.7.1: Postfix, Exim, sendmail, qmail, Exchange, Gmail, and the SMTP of SES,
// SendGrid, Mailgun and Brevo. The text decides; it is never shown.
var texts = []struct {
	like *regexp.Regexp
	is   string
}{
	{regexp.MustCompile(`(?i)\b(helo|ehlo)\b`), byEHLO},
	{regexp.MustCompile(`(?i)relay\w* (access )?(is |was )?(denied|not|prohibited|refused|rejected|disallowed)|` +
		`(unable|not allowed|not permitted|not authori[sz]ed|refus\w+|not|cannot|can't|won't) (to )?relay|` +
		`credentials for relay|allowed rcpthosts`), byRelay},
	{regexp.MustCompile(`(?i)\b(SPF|DKIM|DMARC)\b`), byDomain},
	{regexp.MustCompile(`(?i)sender\b.{0,80}\b(rejected|verif\w+|not (allowed|authori[sz]ed|permitted|owned|valid)|invalid|denied)|` +
		`send(ing)? as\b|SendAsDenied|from address|is not verified|not owned by user|verified sender`), bySender},
	{regexp.MustCompile(`(?i)authenticat\w+ (is )?(required|failed|needed)|not (been )?authenticated|unauthenticated|` +
		`is not authori[sz]ed to perform`), byAuth},
	{regexp.MustCompile(`(?i)client host|(\bip\b|host|client).{0,80}(blocked|blacklist|block ?list|listed|not authori[sz]ed)|` +
		`spamhaus|reverse (dns|hostname)|sending.{0,40}(paused|suspended|disabled)|free accounts`), byHost},
}

// aboutRecipient are the enhanced codes of a mailbox, a host or a route that is
// not there (RFC 3463), and of a group that takes nothing from us (Exchange
// Online): whatever the text says.
var aboutRecipient = regexp.MustCompile(`^[45]\.(1\.(1|2|3|4|6|10)|2\.[1-4]|4\.[0-4]|7\.1[23][0-9])$`)

// quoted is what an answer's text quotes: an address may hold any word.
var quoted = regexp.MustCompile(`\S*@\S*`)

// fault says what of ours a refusal blames; "" where it is the recipient, the
// mail or the server's own state.
func fault(at stage, code int, enhanced, text string) string {
	if isAuthCode(code) {
		return byAuth
	}
	if enhanced != "" {
		if is, ok := faults[strings.TrimLeft(enhanced, "0123456789")]; ok {
			return is
		}
	}
	if at != atMail && aboutRecipient.MatchString(enhanced) {
		return ""
	}
	if is := textFault(quoted.ReplaceAllString(text, "")); is != "" {
		return is
	}
	if at == atMail && code >= 500 { // nobody's recipient is known yet
		return bySender
	}
	return ""
}

func textFault(text string) string {
	for _, t := range texts {
		if t.like.MatchString(text) {
			return t.is
		}
	}
	return ""
}
