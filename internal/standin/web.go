package standin

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/webhook"
)

// reply is a status and a body.
type reply struct {
	status int
	body   string
}

// The replies of Slack's incoming webhooks and Web API, of workflows, of Discord, and
// of Twilio's API ("Sending messages using incoming webhooks", "chat.postMessage",
// "Opcodes and Status Codes", "Error and Warning Dictionary").
var (
	slackReplies = map[Answer]reply{
		Take: {200, "ok"}, Never: {404, "channel_not_found"}, Later: {503, "service_unavailable"}, Refuse: {404, "no_service"},
	}
	slackBotReplies = map[Answer]reply{
		Never:  {200, `{"ok":false,"error":"channel_not_found"}`},
		Later:  {503, `{"ok":false,"error":"service_unavailable"}`},
		Refuse: {200, `{"ok":false,"error":"invalid_auth"}`},
	}
	teamsReplies = map[Answer]reply{
		Never: {400, `{"error":{"code":"TriggerInputSchemaMismatch"}}`}, Later: {429, `{"error":{"code":"TooManyRequests"}}`},
		Refuse: {401, `{"error":{"code":"DirectApiAuthorizationRequired"}}`},
	}
	discordReplies = map[Answer]reply{
		Never: {400, `{"code":50035,"message":"Invalid Form Body"}`}, Later: {429, `{"message":"You are being rate limited.","retry_after":1.0}`},
		Refuse: {404, `{"code":10015,"message":"Unknown Webhook"}`},
	}
	webhookReplies = map[Answer]reply{Never: {status: 400}, Later: {status: 503}, Refuse: {status: 401}}
	twilioReplies  = map[Answer]reply{
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
	mux.HandleFunc("POST /api/chat.update", p.slackBot)
	mux.HandleFunc("POST /workflows/{to}/triggers/manual/paths/invoke", p.teams)
	mux.HandleFunc("POST /api/webhooks/{id}/{token}", p.discord)
	mux.HandleFunc("PATCH /api/webhooks/{id}/{token}/messages/{message}", p.discord)
	mux.HandleFunc("POST /in/{to}", p.webhook)
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
	p.give(w, a, Message{On: channel.Slack, To: m.Channel, Text: m.Text}, slackReplies[a])
}

// slackBot takes what any token posts, answers or changes.
func (p *Providers) slackBot(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Channel  string `json:"channel"`
		Text     string `json:"text"`
		TS       string `json:"ts"`
		ThreadTS string `json:"thread_ts"`
	}
	if err := json.UnmarshalRead(r.Body, &m); err != nil || m.Text == "" || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		write(w, reply{http.StatusOK, `{"ok":false,"error":"invalid_arguments"}`})
		return
	}
	a := p.answer(channel.Slack, m.Channel)
	said, ok := slackBotReplies[a]
	if !ok {
		ts := cmp.Or(m.TS, fmt.Sprintf("1.%d", p.Asked(channel.Slack, m.Channel)))
		said = reply{http.StatusOK, fmt.Sprintf(`{"ok":true,"channel":%q,"ts":%q}`, m.Channel, ts)}
	}
	p.give(w, a, Message{On: channel.Slack, To: m.Channel, Text: m.Text, Earlier: m.TS + m.ThreadTS}, said)
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
	p.give(w, a, Message{On: channel.SMS, To: to, Text: text, Callback: r.PostFormValue("StatusCallback")}, said)
}

// teams takes a card, as a workflow does: it says no more.
func (p *Providers) teams(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Attachments []struct {
			Content jsontext.Value `json:"content"`
		} `json:"attachments"`
	}
	if err := json.UnmarshalRead(r.Body, &m); err != nil || len(m.Attachments) != 1 || r.FormValue("sig") == "" {
		write(w, reply{http.StatusBadRequest, `{"error":{"code":"TriggerInputSchemaMismatch"}}`})
		return
	}
	a := p.answer(channel.Teams, r.PathValue("to"))
	said, ok := teamsReplies[a]
	if !ok {
		said = reply{status: http.StatusAccepted}
	}
	p.give(w, a, Message{On: channel.Teams, To: r.PathValue("to"), Text: string(m.Attachments[0].Content)}, said)
}

// discord takes a message, or the change of one.
func (p *Providers) discord(w http.ResponseWriter, r *http.Request) {
	var m struct {
		Content string `json:"content"`
	}
	if err := json.UnmarshalRead(r.Body, &m); err != nil || m.Content == "" {
		write(w, reply{http.StatusBadRequest, `{"code":50006,"message":"Cannot send an empty message"}`})
		return
	}
	to := r.PathValue("id")
	a := p.answer(channel.Discord, to)
	said, ok := discordReplies[a]
	if !ok {
		id := cmp.Or(r.PathValue("message"), fmt.Sprint(p.Asked(channel.Discord, to)))
		said = reply{http.StatusOK, fmt.Sprintf(`{"id":%q,"channel_id":"9"}`, id)}
	}
	p.give(w, a, Message{On: channel.Discord, To: to, Text: m.Content, Earlier: r.PathValue("message")}, said)
}

// webhook takes what is signed as it should be.
func (p *Providers) webhook(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || webhook.Verify(r.Header, body, time.Now(), SigningKey) != nil {
		write(w, reply{status: http.StatusUnauthorized})
		return
	}
	a := p.answer(channel.Webhook, r.PathValue("to"))
	said, ok := webhookReplies[a]
	if !ok {
		said = reply{status: http.StatusNoContent}
	}
	p.give(w, a, Message{On: channel.Webhook, To: r.PathValue("to"), Text: string(body)}, said)
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
