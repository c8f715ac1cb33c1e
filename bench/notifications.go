package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/smtp"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/exchange"
	"github.com/efferent/efferent/internal/channel/senders"
	"github.com/efferent/efferent/internal/claim"
	"github.com/efferent/efferent/internal/handlers/notify"
	"github.com/efferent/efferent/internal/standin"
	"github.com/efferent/efferent/internal/suppression"
)

// notifications prints notifications a second by each channel, of a bare loop
// and of the handler, against the same stand-ins in a process of their own.
func notifications(args []string) error {
	flags := flag.NewFlagSet("notifications", flag.ExitOnError)
	n := flags.Int("n", 4000, "notifications of each measurement")
	rounds := flags.Int("rounds", 3, "rounds; medians are printed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	s, err := serve(self("standins"))
	if err != nil {
		return err
	}
	defer func() { _ = s.stop() }()
	base, mail, _ := strings.Cut(s.url, " ")
	fmt.Printf("\n%d notifications, %d in flight, medians of %d rounds\n\n", *n, inFlight, *rounds)
	fmt.Printf("%-8s %14s %14s %16s %16s %12s\n", "", "bare loop/s", "handler/s", "bare CPU s/1,000", "CPU s/1,000", "CPU / bare's")
	for _, on := range []channel.Name{channel.Email, channel.Slack, channel.SMS} {
		var loop, handled []result
		for range *rounds {
			l, err := again("barenotify", string(on), base, mail, fmt.Sprint(*n))
			if err != nil {
				return fmt.Errorf("bare loop, %s: %w", on, err)
			}
			h, err := again("notifyhandler", string(on), base, mail, fmt.Sprint(*n))
			if err != nil {
				return fmt.Errorf("handler, %s: %w", on, err)
			}
			loop, handled = append(loop, l), append(handled, h)
		}
		bareCPU, cpu := median(loop, result.cpuPer1000), median(handled, result.cpuPer1000)
		fmt.Printf("%-8s %14.0f %14.0f %16.3f %16.3f %11.2fx\n", on, median(loop, result.rate), median(handled, result.rate), bareCPU, cpu,
			cpu/bareCPU)
	}
	return nil
}

// standins takes everything. It ends with its standard input.
func standins() error {
	p, err := standin.Start(func(channel.Name, string, int) standin.Answer { return standin.Take })
	if err != nil {
		return err
	}
	fmt.Println(p.URL, p.MailPort)
	_, _ = io.Copy(io.Discard, os.Stdin)
	return p.Close()
}

// recipients of the measurements; each notification has one of its own.
func recipientOf(on channel.Name, i int) string {
	return map[channel.Name]string{
		channel.Email: fmt.Sprintf("ann%d@acme.test", i), channel.Slack: fmt.Sprintf("C%06d", i), channel.SMS: fmt.Sprintf("+4670%07d", i),
	}[on]
}

const benchText = "Your order has been shipped and will be there tomorrow."

// bareNotify is what anybody would write: net/smtp's SendMail, or one POST by
// net/http.
func bareNotify(args []string) (result, error) {
	on, base, mail, n := channel.Name(args[0]), args[1], args[2], number(args[3])
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: inFlight}}
	send := func(i int) error {
		to := recipientOf(on, i)
		switch on {
		case channel.Email:
			text := "From: a@efferent.test\r\nTo: " + to + "\r\nSubject: Order\r\n\r\n" + benchText + "\r\n"
			return smtp.SendMail("127.0.0.1:"+mail, nil, "a@efferent.test", []string{to}, []byte(text))
		case channel.Slack:
			return barePost(client, base+"/api/chat.postMessage", "application/json", `{"channel":"`+to+`","text":"`+benchText+`"}`)
		}
		form := url.Values{"To": {to}, "From": {"+15005550006"}, "Body": {benchText}}
		return barePost(client, base+"/2010-04-01/Accounts/AC0/Messages.json", "application/x-www-form-urlencoded", form.Encode())
	}
	return timed(n, func() error { return inParallel(n, inFlight, send) })
}

func barePost(client *http.Client, url, kind, body string) error {
	req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", kind)
	if strings.Contains(url, "chat.") {
		req.Header.Set("Authorization", "Bearer xoxb")
	} else {
		req.SetBasicAuth("AC0", "x")
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		return fmt.Errorf("the stand-in answered %s", resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

// secretTexts are the channels' secrets, by name.
type secretTexts map[string]string

func (s secretTexts) Text(_ context.Context, name string, _ time.Time) (string, error) {
	return s[name], nil
}

func (m *memory) TakeClaim(_ context.Context, c claim.Claim) (claim.Claim, error) {
	return claim.Claim{}, m.PutClaim(context.Background(), c)
}

func (m *memory) PutClaim(_ context.Context, c claim.Claim) error {
	return m.keep("claim/"+c.ItemID, c)
}

func (m *memory) DropClaim(context.Context, claim.Claim) error { return nil }

func (m *memory) Suppressed(context.Context, []suppression.Key) (map[suppression.Key]suppression.Entry, error) {
	return nil, nil
}

// notifyHandler is the notify room with the real senders, on batches of ten.
func notifyHandler(args []string) (result, error) {
	on, base, mail, n := channel.Name(args[0]), args[1], args[2], number(args[3])
	m := &memory{records: map[string][]byte{}}
	h, err := notify.New(notify.Needs{
		Needs: handlerNeeds(m, m, m),
		Senders: &senders.Maker{HTTP: exchange.NewTransport(), Clock: clockwork.NewRealClock(), Secrets: secretTexts{
			channel.EmailSecret: fmt.Sprintf(`{"host":"127.0.0.1","port":%s,"tls":"none"}`, mail),
			channel.SlackSecret: fmt.Sprintf(`{"bot_token":"xoxb","base_url":%q}`, base),
			channel.SMSSecret:   fmt.Sprintf(`{"account_sid":"AC0","auth_token":"x","from_number":"+15005550006","base_url":%q}`, base),
		}},
		Claims: m, Suppressions: m,
	})
	if err != nil {
		return result{}, err
	}
	const size = 10
	batches := make([]events.SQSEvent, n/size)
	for i := range batches {
		for j := range size {
			id := fmt.Sprintf("4f3c1b7e-0000-4000-8000-%012d", i*size+j)
			batches[i].Records = append(batches[i].Records, events.SQSMessage{
				MessageId: id, ReceiptHandle: id, Attributes: map[string]string{"ApproximateReceiveCount": "1"},
				Body: fmt.Sprintf(`{"id":"n-%s","channel":%q,"recipient":%q,"subject":"Order","body":%q,"fallback":[]}`, id, on,
					recipientOf(on, i*size+j), benchText),
			})
		}
	}
	return timed(n, func() error {
		return inParallel(len(batches), inFlight/size, func(i int) error {
			out, err := h.Handle(context.Background(), batches[i])
			if err == nil && len(out.BatchItemFailures) > 0 {
				err = fmt.Errorf("%d failures in a batch", len(out.BatchItemFailures))
			}
			return err
		})
	})
}
