package scenario

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// answer is what an endpoint does with a webhook, and what is to become of that.
type answer struct {
	name string
	// says answers the first request, once whatever comes.
	says func(w http.ResponseWriter, r *http.Request)
	once bool
	// more are further fields of the message.
	more []string
	// want are its attempts, reason what the first one's begins with, and leftAlone
	// whether its endpoint gets nothing more until somebody closes its circuit.
	want, reason string
	leftAlone    bool
}

// says answers with a status, and headers by name and value.
func says(status int, headers ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
	}
}

// hangs answers nothing until it is given up.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// breaks says something that is no HTTP, or nothing, and closes the connection.
func breaks(text string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		if c, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_, _ = c.Write([]byte(text))
			_ = c.Close()
		}
	}
}

const (
	verdict   = "Webhook-Delivery"
	delivers  = "1:200:delivered"
	thenTaken = ":retryable 2:200:delivered"
)

// answers are the rows of the table of verdicts in docs/webhooks.md that an endpoint
// decides.
var answers = []answer{
	{name: "200", says: says(200), want: delivers},
	{name: "202", says: says(202), want: "1:202:delivered"},
	{name: "204", says: says(204), want: "1:204:delivered"},
	{name: "408", says: says(408), once: true, want: "1:408" + thenTaken, reason: "408 Request Timeout"},
	{name: "425", says: says(425), once: true, want: "1:425" + thenTaken, reason: "425 Too Early"},
	{name: "429", says: says(429), once: true, want: "1:429" + thenTaken, reason: "429 Too Many Requests"},
	{name: "500", says: says(500), once: true, want: "1:500" + thenTaken, reason: "500 Internal Server Error"},
	{name: "503", says: says(503), once: true, want: "1:503" + thenTaken, reason: "503 Service Unavailable"},
	{name: "599", says: says(599), once: true, want: "1:599" + thenTaken, reason: "599"},
	{name: "503, Retry-After", says: says(503, "Retry-After", "2"), once: true, want: "1:503" + thenTaken, reason: "503"},
	{name: "no answer in time", says: hangs, once: true, more: []string{`"timeout":"1s"`}, want: "1:0" + thenTaken,
		reason: "no answer within 1s"},
	{name: "closed", says: breaks(""), once: true, want: "1:0" + thenTaken, reason: "the connection was closed before an answer came"},
	{name: "no HTTP", says: breaks("SSH-2.0-x\r\n"), once: true, want: "1:0" + thenTaken, reason: "no answer: what came was not HTTP"},
	{name: "301", says: says(301, "Location", "/"), want: "1:301:permanent", reason: "301 Moved Permanently: redirects are not followed"},
	{name: "304", says: says(304), want: "1:304:permanent", reason: "304 Not Modified: redirects are not followed"},
	{name: "308", says: says(308, "Location", "/"), want: "1:308:permanent", reason: "308 Permanent Redirect: redirects are not followed"},
	{name: "400", says: says(400), want: "1:400:permanent", reason: "400 Bad Request"},
	{name: "401", says: says(401), want: "1:401:permanent", reason: "401 Unauthorized"},
	{name: "404", says: says(404), want: "1:404:permanent", reason: "404 Not Found"},
	{name: "422", says: says(422), want: "1:422:permanent", reason: "422 Unprocessable Entity"},
	{name: "410", says: says(410), want: "1:410:permanent", reason: "410 Gone", leftAlone: true},
	{name: "disable", says: says(404, verdict, "disable"), want: "1:404:permanent",
		reason: "404 Not Found: the endpoint wants no more webhooks (webhook-delivery: disable)", leftAlone: true},
	{name: "disable on 500", says: says(500, verdict, "disable"), want: "1:500:permanent", reason: "500", leftAlone: true},
	{name: "disable on 200", says: says(200, verdict, "disable"), want: delivers, leftAlone: true},
	{name: "abort-message", says: says(503, verdict, "abort-message"), want: "1:503:permanent",
		reason: "503 Service Unavailable: the endpoint wants this webhook no more (webhook-delivery: abort-message)"},
	{name: "abort-message on 200", says: says(200, verdict, "abort-message"), want: delivers},
}

// Answers shows what becomes of a webhook by each answer.
func Answers(t *testing.T, s *Stack) {
	for _, a := range answers {
		t.Run(a.name, func(t *testing.T) {
			t.Parallel()
			s.answered(t, a)
		})
	}
	secure := httptest.NewUnstartedServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	for reason, url := range map[string]string{
		"no connection: ": "http://127.0.0.1:2/in", // nobody listens there
		"TLS: ":           secure.URL,              // nobody vouches for it
		"DNS: ":           "https://nowhere.invalid/in",
	} {
		t.Run(reason, func(t *testing.T) {
			t.Parallel()
			id := newID("unreached")
			s.Send(t, Text(id, url))
			first := s.AttemptsUntil(t, id, func(attempt.Verdict) bool { return true })[0]
			if first.Status != 0 || first.Verdict != attempt.Retryable || !strings.HasPrefix(first.Reason, reason) {
				t.Errorf("it came to %+v", first)
			}
			s.Attempts(t, id)
		})
	}
}

func (s *Stack) answered(t *testing.T, a answer) {
	t.Helper()
	e := NewEndpoint(t, func(w http.ResponseWriter, r *http.Request, nth int) {
		if nth == 1 || !a.once {
			a.says(w, r)
		}
	})
	id, url := newID("answered"), e.URL+"/in"
	s.Send(t, Text(id, url, a.more...))
	records := s.AttemptsUntil(t, id, attempt.Verdict.Final)
	if got := Verdicts(records); got != a.want || !strings.HasPrefix(records[0].Reason, a.reason) {
		t.Errorf("got %s, %q; want %s, %q", got, records[0].Reason, a.want, a.reason)
	}
	if !a.leftAlone {
		return
	}
	c := s.CircuitOf(t, url, func(c replay.Circuit) bool { return c.Forever })
	if c.Phase != replay.PhaseOpen {
		t.Errorf("its circuit is %+v", c)
	}
}
