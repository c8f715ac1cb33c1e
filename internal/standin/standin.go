// Package standin stands in for the providers of every channel, on this
// machine: an SMTP server, Slack, Twilio, Teams, Discord, and who gets signed
// webhooks. They answer by a script
// and keep what they took, for the demo, the scenarios and the benchmark.
package standin

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/efferent/efferent/internal/channel"
)

// Answer is what a provider does with a hand-over.
type Answer string

// The answers, in each provider's own words (see smtp.go and web.go).
const (
	Take     Answer = "takes it"
	Never    Answer = "knows no such recipient"
	Later    Answer = "is busy"
	Refuse   Answer = "refuses the sender"
	Relay    Answer = "does not relay for the sender"       // email only
	OptedOut Answer = "knows that the recipient wants none" // SMS only
	Lose     Answer = "takes it, and the answer is lost"
)

// Script gives the answer to the nth hand-over, from 1, to a recipient on a
// channel. It is called by many goroutines at once.
type Script func(on channel.Name, to string, nth int) Answer

// Message is what a provider took.
type Message struct {
	On channel.Name
	To string
	// Text is the whole mail, or the text; of a card, its JSON.
	Text string
	// Earlier is the message that this one answers, or takes the place of, as its
	// provider calls it; empty for none.
	Earlier string
	// Callback is where the provider was told to report what becomes of it.
	Callback string
}

// Providers are the servers.
type Providers struct {
	script Script
	mail   *smtp.Server
	web    *http.Server
	// MailPort is the SMTP server's port; URL is where the others are.
	MailPort int
	URL      string

	mu    sync.Mutex
	asked map[string]int
	taken []Message
}

// Start starts them on free ports of 127.0.0.1.
func Start(script Script) (*Providers, error) {
	p := &Providers{script: script, asked: map[string]int{}}
	mail, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("stand-in for a mail server: %w", err)
	}
	web, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("stand-in for Slack and the others: %w", err), mail.Close())
	}
	p.MailPort, p.URL = mail.Addr().(*net.TCPAddr).Port, "http://"+web.Addr().String()
	p.mail, p.web = p.mailServer(), &http.Server{Handler: p.routes(), ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = p.mail.Serve(mail) }()
	go func() { _ = p.web.Serve(web) }()
	return p, nil
}

// Close ends them, and the connections to them.
func (p *Providers) Close() error { return errors.Join(p.mail.Close(), p.web.Close()) }

// Secrets are the channels' secrets that lead to them, by name.
func (p *Providers) Secrets() map[string]string {
	return map[string]string{
		channel.EmailSecret:   fmt.Sprintf(`{"host":"127.0.0.1","port":%d,"tls":"none","from":"noreply@efferent.test"}`, p.MailPort),
		channel.SlackSecret:   fmt.Sprintf(`{"webhook_url":%q}`, p.URL+"/services/T0/B0/standin"),
		channel.SMSSecret:     fmt.Sprintf(`{"account_sid":"AC0","auth_token":"standin","from_number":"+15005550006","base_url":%q}`, p.URL),
		channel.TeamsSecret:   fmt.Sprintf(`{"webhooks":{"ops":%q}}`, p.URL+"/workflows/ops/triggers/manual/paths/invoke?sig=standin"),
		channel.DiscordSecret: fmt.Sprintf(`{"webhooks":{"ops":%q}}`, p.URL+"/api/webhooks/1/standin"),
		channel.WebhookSecret: fmt.Sprintf(`{"webhooks":{"machine":{"url":%q,"secret":%q}}}`, p.URL+"/in/machine", SigningKey),
	}
}

// SigningKey signs what comes as a webhook.
const SigningKey = "whsec_c3RhbmRpbiBzdGFuZGluIHN0YW5kaW4="

// BotSecret is Slack's secret for a bot, in place of an incoming webhook.
func (p *Providers) BotSecret() string {
	return fmt.Sprintf(`{"bot_token":"xoxb-standin","base_url":%q}`, p.URL)
}

// Taken are the messages that were taken, in order; for whom, where that is
// not empty.
func (p *Providers) Taken(to string) (all []Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.taken {
		if to == "" || m.To == to {
			all = append(all, m)
		}
	}
	return all
}

// Asked is how many hand-overs to a recipient there were on a channel.
func (p *Providers) Asked(on channel.Name, to string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[key(on, to)]
}

func key(on channel.Name, to string) string { return string(on) + " " + strings.ToLower(to) }

// answer counts a hand-over and asks the script.
func (p *Providers) answer(on channel.Name, to string) Answer {
	p.mu.Lock()
	p.asked[key(on, to)]++
	nth := p.asked[key(on, to)]
	p.mu.Unlock()
	return p.script(on, to, nth)
}

func (p *Providers) keep(m Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, m)
}
