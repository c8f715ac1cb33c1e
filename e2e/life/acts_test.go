package life

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/waiting"
)

func number(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// message is what a producer sends.
type message struct {
	id, url, retry string
	tenant         string // acme where it is empty
	body           string // JSON; {} where it is empty
	attributes     map[string]string
}

// ownAttribute is one that every producer sets.
const ownAttribute = "own"

const someURL = "https://a.test/in"

func (m message) text() string {
	text := fmt.Sprintf(`"url":%q,"secret":"efferent/webhooks/a","event_type":"e","tenant":%q`, m.url, cmp.Or(m.tenant, "acme"))
	if m.id != "" {
		text = fmt.Sprintf(`"id":%q,`, m.id) + text
	}
	if m.retry != "" {
		text += fmt.Sprintf(`,"retry":%q`, m.retry)
	}
	if m.body == "" {
		m.body = "{}"
	}
	return "{" + text + `,"body":` + m.body + "}"
}

// produce sends messages.
func (w *world) produce(messages ...message) {
	url := queueURL + settings.WebhooksQueue
	for _, m := range messages {
		w.named, w.sent = append(w.named, m.retry), append(w.sent, m.id)
		in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String(m.text()),
			MessageGroupId: aws.String(cmp.Or(m.tenant, "acme") + "/0"),
			MessageAttributes: map[string]types.MessageAttributeValue{
				ownAttribute: {DataType: aws.String("String"), StringValue: aws.String("x")}}}
		for name, text := range m.attributes {
			in.MessageAttributes[name] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &text}
		}
		if _, err := w.queues.Engine.SendMessage(context.Background(), in); err != nil {
			w.complain("sending: %v", err)
		}
	}
}

// letters are the dead letters. To look at them hides them for a second.
func (w *world) letters() (all []types.Message) {
	url := queueURL + deadletter.WebhookFailures
	for {
		out, err := w.queues.Engine.ReceiveMessage(context.Background(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10,
			VisibilityTimeout: 1, MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}, MessageAttributeNames: []string{"All"}})
		if err != nil {
			w.complain("looking at the dead letters: %v", err)
		}
		if err != nil || len(out.Messages) == 0 {
			w.clock.Advance(time.Second)
			return all
		}
		all = append(all, out.Messages...)
	}
}

// ask makes a request to the API; status is 0 where the process died.
func (w *world) ask(who, method, path, body string) (status int, text string) {
	ctx, p := start(who)
	answer := httptest.NewRecorder()
	w.running().api.ServeHTTP(answer, httptest.NewRequestWithContext(ctx, method, path, strings.NewReader(body)))
	if w.buried(p) {
		return 0, ""
	}
	return answer.Code, answer.Body.String()
}

const dlq = "/api/v1/dlq/" + deadletter.WebhookFailures

// act asks until it is answered for good: what failed, or is held, is asked
// again a minute later.
func (w *world) act(who, method, path, body string) {
	for range 30 {
		status, text := w.ask(who, method, path, body)
		if status/100 == 2 || status == http.StatusNotFound {
			return
		}
		w.calls.note("    %s: %d %s", path, status, text)
		w.clock.Advance(time.Minute + time.Second)
	}
	w.complain("%s %s is never done", method, path)
}

// replayOne replays each dead letter by itself.
func replayOne(w *world) {
	for _, m := range w.letters() {
		w.act("api", http.MethodPost, dlq+"/replay/"+*m.MessageId, "")
	}
}

// replayAll has the API start SQS's own move task.
func replayAll(w *world) {
	w.clock.Advance(3 * time.Minute)
	w.act("api", http.MethodPost, dlq+"/replay", "{}")
}

// redrive is the console's Start DLQ redrive, minutes later.
func redrive(w *world) {
	w.clock.Advance(3 * time.Minute)
	_, err := w.queues.move(context.Background(), &sqs.StartMessageMoveTaskInput{SourceArn: aws.String(queueARN(deadletter.WebhookFailures))})
	if err != nil {
		w.complain("redrive: %v", err)
	}
}

// discard deletes each dead letter by itself.
func discard(w *world) {
	for _, m := range w.letters() {
		w.act("api", http.MethodDelete, dlq+"/"+*m.MessageId, "")
	}
}

// letGo and drop act on each message that waits, by itself.
func letGo(w *world) { w.actOnWaiting("release") }
func drop(w *world)  { w.actOnWaiting("drop") }

func (w *world) actOnWaiting(act string) {
	for _, item := range w.stores.Room() {
		if item.State == waiting.Waiting {
			w.act("api", http.MethodPost, "/api/v1/waiting/"+act, fmt.Sprintf(`{"item_id":%q}`, item.ID()))
		}
	}
}

// items are what the API lists.
func (w *world) items() (all []replay.Item) {
	query := "?limit=50&queue=" + deadletter.WebhookFailures
	for cursor := ""; ; {
		status, text := w.ask("check", http.MethodGet, "/api/v1/dlq"+query+cursor, "")
		var page replay.Items
		if err := json.Unmarshal([]byte(text), &page); status != http.StatusOK || err != nil {
			w.complain("the listing: %d %s", status, text)
			return nil
		}
		if all = append(all, page.Items...); page.Cursor == "" {
			return all
		}
		cursor = "&cursor=" + page.Cursor
	}
}

// listed are the ids that the API lists, sorted.
func (w *world) listed() (ids []string) {
	for _, item := range w.items() {
		ids = append(ids, item.ItemID)
	}
	slices.Sort(ids)
	return ids
}
