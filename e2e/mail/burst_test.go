//go:build mail

package mail

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"
)

// strict plays Slack's Web API and Twilio's: it takes one per interval for each
// recipient, or each sender, and refuses more as they do ("Rate limits", Slack; error
// 20429, Twilio).
type strict struct {
	mu      sync.Mutex
	last    map[string]time.Time
	taken   map[string][]time.Time
	refused int
}

func (s *strict) takes(key string, interval time.Duration) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Sub(s.last[key]) < interval {
		s.refused++
		return false
	}
	s.last[key], s.taken[key] = now, append(s.taken[key], now)
	return true
}

func (s *strict) slack(w http.ResponseWriter, r *http.Request) {
	var message struct{ Channel, Text string }
	if err := json.NewDecoder(r.Body).Decode(&message); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !s.takes(message.Channel, time.Second) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
		return
	}
	fmt.Fprintf(w, `{"ok":true,"channel":%q,"ts":"%d.1"}`, message.Channel, len(s.of(message.Channel)))
}

func (s *strict) twilio(w http.ResponseWriter, r *http.Request) {
	if to := r.FormValue("To"); len(s.of(to)) > 0 {
		s.takes("twice", 0)
	} else if !s.takes("twilio", 200*time.Millisecond) {
		w.WriteHeader(http.StatusTooManyRequests)
		fmt.Fprint(w, `{"code":20429,"message":"Too Many Requests","status":429}`)
		return
	} else {
		s.takes(to, 0)
	}
	w.WriteHeader(http.StatusCreated)
	fmt.Fprint(w, `{"sid":"SM1","status":"queued"}`)
}

func (s *strict) of(key string) []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taken[key]
}

// TestBursts sends four at once: to a Slack channel that takes one a second; to another,
// with a deadline of ten seconds; to a Postfix that takes three connections of a client;
// and to a Twilio that takes five a second. All go the way that was asked for, none dies,
// and what the deadline leaves over goes by email, in time.
func TestBursts(t *testing.T) {
	mail := startServers(t, "smtpd_client_connection_count_limit = 3", "smtpd_client_event_limit_exceptions =",
		"smtpd_recipient_restrictions = reject_unauth_destination, reject_unlisted_recipient")
	s := &strict{last: map[string]time.Time{}, taken: map[string][]time.Time{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/chat.postMessage", s.slack)
	mux.HandleFunc("POST /2010-04-01/Accounts/{account}/Messages.json", s.twilio)
	providers := httptest.NewServer(mux)
	t.Cleanup(providers.Close)
	d := startDev(t, mail, "SLACK_BOT_TOKEN=xoxb-1", "SLACK_BASE_URL="+providers.URL, "TWILIO_ACCOUNT_SID=AC0", "TWILIO_AUTH_TOKEN=t",
		"TWILIO_FROM_NUMBER=+15005550006", "TWILIO_BASE_URL="+providers.URL)

	const patient, hurried, emails, texts = 25, 40, 60, 40
	began := time.Now()
	for n := range emails {
		d.put(t, fmt.Sprint("mail_", n), map[string]any{"channel": "email", "recipient": "ann@acme.test", "body": "b",
			"fallback": []string{"slack"}, "recipients": map[string]string{"slack": "C9"}})
	}
	for n := range patient {
		d.put(t, fmt.Sprint("patient_", n), map[string]any{"channel": "slack", "recipient": "C1", "body": "b",
			"recipients": map[string]string{"email": "bob@acme.test"}})
	}
	for n := range texts {
		d.put(t, fmt.Sprint("sms_", n), map[string]any{"channel": "sms", "recipient": fmt.Sprintf("+46701%06d", n), "body": "b",
			"recipients": map[string]string{"email": "bob@acme.test"}})
	}
	hurry := time.Now()
	for n := range hurried {
		d.put(t, fmt.Sprint("hurried_", n), map[string]any{"channel": "slack", "recipient": "C2", "body": "b", "deadline": "10s",
			"recipients": map[string]string{"email": "caro@acme.test"}})
	}
	byEmail, late := 0, time.Duration(0)
	for n := range hurried {
		made := d.ended(t, fmt.Sprint("hurried_", n))
		if last := made[len(made)-1]; last.Channel == "email" {
			byEmail++
			late = max(late, last.At.Sub(hurry))
		}
	}
	mail.look(t, "caro", byEmail)
	mail.look(t, "ann", emails)
	for kind, c := range map[string]struct {
		n  int
		on string
	}{"mail": {emails, "email"}, "patient": {patient, "slack"}, "sms": {texts, "sms"}} {
		for n := range c.n {
			made := d.ended(t, fmt.Sprintf("%s_%d", kind, n))
			if last := made[len(made)-1]; last.Verdict != "delivered" || last.Channel != c.on || last.Attempt != 1 {
				t.Errorf("%s %d: %+v", kind, n, made)
			}
		}
	}
	slack := s.of("C1")
	t.Logf("%d of %d to C2 went by email, the last after %v; C1 took %d in %v, all in %v; %d were refused", byEmail, hurried, late, len(slack),
		slack[len(slack)-1].Sub(slack[0]), time.Since(began), s.refused)
	if at := len(s.of("C2")); at+byEmail != hurried || at < 5 || at > 12 || late > 15*time.Second {
		t.Errorf("%d to C2, %d by email, the last after %v", at, byEmail, late)
	}
	if len(slack) != patient || len(s.of("C9")) > 0 || len(s.of("twice")) > 0 || len(s.of("twilio")) != texts {
		t.Errorf("%d to C1, %d emails as Slack, %d SMS, %d twice", len(slack), len(s.of("C9")), len(s.of("twilio")), len(s.of("twice")))
	}
}

// ended waits for a notification's end, and returns its attempts.
func (d *dev) ended(t *testing.T, id string) []attempt {
	t.Helper()
	for ended := time.Now().Add(2 * time.Minute); ; {
		if made := d.attempts(t, id); len(made) > 0 && !slices.Contains([]string{"retryable", "held"}, made[len(made)-1].Verdict) {
			return made
		}
		if time.Now().After(ended) {
			t.Fatalf("%s: %+v", id, d.attempts(t, id))
		}
		time.Sleep(100 * time.Millisecond) // it is another process
	}
}
