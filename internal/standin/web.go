package standin

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/channel"
)

// reply is a status and a body.
type reply struct {
	status int
	body   string
}

// The replies of Slack's incoming webhooks and Web API, and of Twilio's API
// ("Sending messages using incoming webhooks", "chat.postMessage", "Error and Warning Dictionary").
var (
	slackReplies = map[Answer]reply{
		Take: {200, "ok"}, Never: {404, "channel_not_found"}, Later: {503, "service_unavailable"}, Refuse: {404, "no_service"},
	}
	slackBotReplies = map[Answer]reply{
		Never:  {200, `{"ok":false,"error":"channel_not_found"}`},
		Later:  {503, `{"ok":false,"error":"service_unavailable"}`},
		Refuse: {200, `{"ok":false,"error":"invalid_auth"}`},
	}
	twilioReplies = map[Answer]reply{
		Never:    {400, `{"code":21211,"message":"Invalid 'To' Phone Number","status":400}`},
		Later:    {429, `{"code":20429,"message":"Too Many Requests","status":429}`},
		Refuse:   {401, `{"code":20003,"message":"Authenticate","status":401}`},
		OptedOut: {400, `{"code":21610,"message":"Attempt to send to unsubscribed recipient","status":400}`},
	}
)

func (p *Providers) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /services/", p.slack)
	mux.HandleFunc("POST /api/chat.postMessage", p.slackBot)
	mux.HandleFunc("POST /2010-04-01/Accounts/{account}/Messages.json", p.twilio)
	return mux
}

func (p *Providers) slack(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Channel string `json:"channel"`
		Text    string `json:"text"`
	}
	if err := json.UnmarshalRead(r.Body, &m); err != nil || m.Text == "" {
		write(w, reply{http.StatusBadRequest, "invalid_payload"})
		return
	}
	a := p.answer(channel.Slack, m.Channel)
	p.give(w, a, Message{channel.Slack, m.Channel, m.Text}, slackReplies[a])
}

// slackBot takes what any token posts.
func (p *Providers) slackBot(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Channel string `json:"channel"`
		Text    string `json:"text"`
	}
	if err := json.UnmarshalRead(r.Body, &m); err != nil || m.Text == "" || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		write(w, reply{http.StatusOK, `{"ok":false,"error":"invalid_arguments"}`})
		return
	}
	a := p.answer(channel.Slack, m.Channel)
	said, ok := slackBotReplies[a]
	if !ok {
		said = reply{http.StatusOK, fmt.Sprintf(`{"ok":true,"channel":%q,"ts":"1.%d"}`, m.Channel, p.Asked(channel.Slack, m.Channel))}
	}
	p.give(w, a, Message{channel.Slack, m.Channel, m.Text}, said)
}

func (p *Providers) twilio(w http.ResponseWriter, r *http.Request) {
	to, text := r.PostFormValue("To"), r.PostFormValue("Body")
	if user, _, ok := r.BasicAuth(); !ok || user != r.PathValue("account") {
		write(w, twilioReplies[Refuse])
		return
	}
	if !strings.HasPrefix(to, "+") || text == "" {
		write(w, twilioReplies[Never])
		return
	}
	a := p.answer(channel.SMS, to)
	said, ok := twilioReplies[a]
	if !ok {
		said = reply{http.StatusCreated, fmt.Sprintf(`{"sid":"SM%d","status":"queued","error_code":null}`, p.Asked(channel.SMS, to))}
	}
	p.give(w, a, Message{channel.SMS, to, text}, said)
}

// give keeps what is taken, and cuts the connection where the answer is lost.
func (p *Providers) give(w http.ResponseWriter, a Answer, m Message, said reply) {
	if a == Take || a == Lose {
		p.keep(m)
	}
	if a == Lose {
		panic(http.ErrAbortHandler)
	}
	write(w, said)
}

func write(w http.ResponseWriter, said reply) {
	w.WriteHeader(said.status)
	_, _ = io.WriteString(w, said.body)
}
