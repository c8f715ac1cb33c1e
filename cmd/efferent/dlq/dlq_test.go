package dlq

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/handlers/replay"
)

const listPath = "GET /api/v1/dlq?"

func TestDLQList(t *testing.T) {
	t.Parallel()
	tenant := commandtest.ItemNo(1)
	tenant.Tenant, tenant.Reason = "acme", "told\x1b[2J:\tno\nway\u202e"
	mail := replay.Item{ItemID: "item-9", WebhookID: "n_1", Channel: "email", Reason: "no such user", LastAt: commandtest.Noon}
	runDLQCases(t, []commandtest.Case{
		{"a table", "list", []commandtest.Answered{commandtest.Ok(replay.Items{Items: commandtest.Items(1, 2), ApproximateTotal: 2})},
			[]string{listPath + "limit=50&queue=webhook-failures"},
			[]string{"ITEM    WEBHOOK  EVENT         STATUS  ATTEMPTS  LAST                 REASON\n",
				"item-1  evt_1    invoice.paid  404     1         2026-11-24 12:00:00  the endpoint answered 404\nitem-2"},
			[]string{"2 of about 2"}, 0},
		{"a tenant, and texts that could steer a terminal", "list",
			[]commandtest.Answered{commandtest.Ok(replay.Items{Items: []replay.Item{tenant, commandtest.ItemNo(2)}, ApproximateTotal: 2})},
			[]string{listPath + "limit=50&queue=webhook-failures"}, []string{
				"TENANT", "acme", "told [2J: no way\n", "invoice.paid  -       404"}, nil, 0},
		{"notifications", "list --queue notification-failures", []commandtest.Answered{commandtest.Ok(replay.Items{Items: []replay.Item{mail},
			ApproximateTotal: 1})},
			[]string{listPath + "limit=50&queue=notification-failures"},
			[]string{"ITEM    WEBHOOK  CHANNEL  STATUS  ATTEMPTS", "item-9  n_1      email    -       0         2026-11-24 12:00:00  " +
				"no such user"}, nil, 0},
		{"JSON", "list --json", []commandtest.Answered{commandtest.Ok(replay.Items{Items: commandtest.Items(1, 1), ApproximateTotal: 1})},
			[]string{listPath + "limit=50&queue=webhook-failures"},
			[]string{`{"items":[{"item_id":"item-1",`, `"approximate_total":1}`}, nil, 0},
		{"pages, short ones and an empty one", "list --json --limit 5", []commandtest.Answered{
			commandtest.Ok(replay.Items{Items: commandtest.Items(1, 2), ApproximateTotal: 9, Cursor: "a/b"}),
			commandtest.Ok(replay.Items{ApproximateTotal: 9, Cursor: "c"}),
			commandtest.Ok(replay.Items{Items: commandtest.Items(3, 3), ApproximateTotal: 8, Cursor: "d"}),
		}, []string{listPath + "limit=5&queue=webhook-failures", listPath + "cursor=a%2Fb&limit=3&queue=webhook-failures",
			listPath + "cursor=c&limit=3&queue=webhook-failures"}, []string{
			"item-1", "item-2", "item-5", `"approximate_total":8,"cursor":"d"}`}, nil, 0},
		{"a limit over one page", "list --limit 300", []commandtest.Answered{commandtest.Ok(replay.Items{Items: commandtest.Items(1, 200),
			ApproximateTotal: 1234, Cursor: "a"}),
			commandtest.Ok(replay.Items{Items: commandtest.Items(201, 100), ApproximateTotal: 1234, Cursor: "b"})},
			[]string{listPath + "limit=200&queue=webhook-failures", listPath + "cursor=a&limit=100&queue=webhook-failures"},
			[]string{"item-300"}, []string{"300 of about 1,234; more with --limit"}, 0},
		{"all", "list --limit all", []commandtest.Answered{commandtest.Ok(replay.Items{Items: commandtest.Items(1, 200), ApproximateTotal: 201,
			Cursor: "a"}),
			commandtest.Ok(replay.Items{Items: commandtest.Items(201, 1), ApproximateTotal: 201})},
			[]string{listPath + "limit=200&queue=webhook-failures", listPath + "cursor=a&limit=200&queue=webhook-failures"},
			[]string{"item-201"}, []string{"201 of about 201\n"}, 0},
		{"the queue itself", "list --source queue --limit all", []commandtest.Answered{commandtest.Ok(replay.Items{Items: commandtest.Items(1,
			200), ApproximateTotal: 300})},
			[]string{listPath + "limit=200&queue=webhook-failures&source=queue"}, []string{"item-200"},
			[]string{"200 of about 300; more can't be read"}, 0},
		{"filters", "list --tenant acme --event a.b --channel sms --url-prefix https://a.test/?x=1&y --reason 40 --since " +
			"2026-11-24T08:00:00+01:00 --until 2026-11-24T09:00:00Z",
			[]commandtest.Answered{commandtest.Ok(replay.Items{ApproximateTotal: 3})}, []string{
				listPath + "channel=sms&event_type=a.b&limit=50&queue=webhook-failures&reason=40" +
					"&since=2026-11-24T07%3A00%3A00Z&tenant=acme&until=2026-11-24T09%3A00%3A00Z&url_prefix=https%3A%2F%2Fa.test%2F%3Fx%3D1%26y"},
			nil, []string{"nothing matches in webhook-failures, which holds about 3"}, 0},
		{"empty", "list", []commandtest.Answered{commandtest.Ok(replay.Items{})}, []string{listPath + "limit=50&queue=webhook-failures"}, nil,
			[]string{"webhook-failures is empty."}, 0},
		{"empty, as JSON", "list --json", []commandtest.Answered{commandtest.Ok(replay.Items{})},
			[]string{listPath + "limit=50&queue=webhook-failures"},
			[]string{`{"items":[],`}, nil, 0},
		{"what died without a handler", "list", []commandtest.Answered{commandtest.Ok(replay.Items{ApproximateTotal: 2})},
			[]string{listPath + "limit=50&queue=webhook-failures"},
			nil, []string{"0 listed, and SQS counts about 2", "--source queue"}, 0},
		{"an unknown queue", "list --queue x", []commandtest.Answered{commandtest.Problem(404, `there is no dead-letter queue "x"`)},
			[]string{listPath + "limit=50&queue=x"},
			nil, []string{`efferent: there is no dead-letter queue "x"`}, 1},
		{"a page that fails", "list --limit 9", []commandtest.Answered{commandtest.Ok(replay.Items{Items: commandtest.Items(1, 1), Cursor: "a"}),
			commandtest.Problem(503, "the failures can't be read; try again")},
			[]string{listPath + "limit=9&queue=webhook-failures", listPath + "cursor=a&limit=8&queue=webhook-failures"}, nil,
			[]string{"the failures can't be read; try again"}, 1},
		{"an empty filter", "list --tenant ''", nil, nil, nil, []string{"--tenant is empty"}, 2},
		{"a negative limit", "list --limit=-1", nil, nil, nil, []string{`--limit: "-1" must be a number from 1 on, or all`}, 2},
	})
}

func TestDLQShow(t *testing.T) {
	t.Parallel()
	letter := replay.Letter{Item: commandtest.ItemNo(1), Body: "{\"n\":1.00,\"d\":1,\"d\":\"\\u00e9\"}", Attempts: []attempt.Record{
		{MessageID: "item-1", Attempt: 1, At: commandtest.Noon, Status: 404, DurationMS: 12, Verdict: attempt.Permanent,
			Reason: "the endpoint answered 404"}}}
	note := replay.Letter{Item: replay.Item{ItemID: "item-9", WebhookID: "n_1", Channel: "email"}, Body: "no JSON \x1b[31m\nat all",
		Attempts: []attempt.Record{
			{MessageID: "item-9", Attempt: 2, At: commandtest.Noon, Notification: true, Channel: "slack", Class: "transient",
				FailedChannels: []string{"email", "slack"},
				ProviderID:     "p-7", Verdict: attempt.Exhausted, Reason: "no"}}}
	runDLQCases(t, []commandtest.Case{
		{"a webhook", "show item-1", []commandtest.Answered{commandtest.Ok(letter)}, []string{"GET /api/v1/dlq/webhook-failures/item-1"},
			[]string{"Item      item-1\nQueue     webhook-failures\nWebhook   evt_1\n", "URL       https://a.test/in\n",
				"AT                   MESSAGE  ATTEMPT  STATUS  MS  VERDICT    NEXT  REASON\n",
				"1        404     12  permanent  -     the endpoint answered 404",
				"\n{\n  \"n\": 1.00,\n  \"d\": 1,\n  \"d\": \"\\u00e9\"\n}\n"}, nil, 0},
		{"a notification", "show item-9 --queue notification-failures", []commandtest.Answered{commandtest.Ok(note)},
			[]string{"GET /api/v1/dlq/notification-failures/item-9"},
			[]string{"Channel   email\n", "CHANNEL  STATUS", "CLASS      FAILED CHANNELS  PROVIDER ID", "transient  email,slack      p-7",
				"\nno JSON  [31m\nat all\n"}, nil, 0},
		{"no attempts", "show item-1", []commandtest.Answered{commandtest.Ok(replay.Letter{Item: commandtest.ItemNo(1), Body: "x"})},
			[]string{"GET /api/v1/dlq/webhook-failures/item-1"}, []string{"\n\nx\n"}, nil, 0},
		{"JSON", "show --json item-1", []commandtest.Answered{commandtest.Ok(letter)}, []string{"GET /api/v1/dlq/webhook-failures/item-1"},
			[]string{`"body":"{\"n\":1.00,\"d\":1,\"d\":\"\\u00e9\"}"`}, nil, 0},
		{"none", "show a/b", []commandtest.Answered{commandtest.Problem(404, "there is no item a/b in webhook-failures")},
			[]string{"GET /api/v1/dlq/webhook-failures/a%2Fb"},
			nil, []string{"efferent: there is no item a/b in webhook-failures\n"}, 1},
		{"held", "show item-1", []commandtest.Answered{commandtest.Problem(409, "item item-1 is held by ann; try again in a minute")},
			[]string{"GET /api/v1/dlq/webhook-failures/item-1"},
			nil, []string{"held by ann"}, 1},
		{"of a gateway", "show item-1", []commandtest.Answered{{http.StatusNotFound, `{"message":"Not Found"}`}},
			[]string{"GET /api/v1/dlq/webhook-failures/item-1"},
			nil, []string{"answered 404 Not Found; is this the URL of the API, as the deployment printed it (ApiUrl)?"}, 1},
		{"moved elsewhere", "show item-1", []commandtest.Answered{{http.StatusMovedPermanently, "<html>"}},
			[]string{"GET /api/v1/dlq/webhook-failures/item-1"},
			nil, []string{"answered 301 Moved Permanently; is this the URL of the API, as the deployment printed it (ApiUrl)?"}, 1},
		{"some web page", "show item-1", []commandtest.Answered{commandtest.Ok("<html>")}, []string{"GET /api/v1/dlq/webhook-failures/item-1"},
			nil,
			[]string{"is not the API of Efferent"}, 1},
		{"a connection that breaks, once", "show item-1", []commandtest.Answered{commandtest.Ok(commandtest.Dropped{}), commandtest.Ok(letter)},
			[]string{"GET /api/v1/dlq/webhook-failures/item-1", "GET /api/v1/dlq/webhook-failures/item-1"}, []string{"evt_1"}, nil, 0},
		{"and twice", "show item-1", []commandtest.Answered{commandtest.Ok(commandtest.Dropped{}), commandtest.Ok(commandtest.Dropped{})},
			[]string{"GET /api/v1/dlq/webhook-failures/item-1", "GET /api/v1/dlq/webhook-failures/item-1"}, nil,
			[]string{"the API does not answer at http://127.0.0.1"}, 1},
	})
}

func TestDLQReplay(t *testing.T) {
	t.Parallel()
	const one, all = "POST /api/v1/dlq/webhook-failures/replay/", "POST /api/v1/dlq/webhook-failures/replay "
	runDLQCases(t, []commandtest.Case{
		{"one", "replay item-1", []commandtest.Answered{commandtest.OneItem(deadletter.Completed, "")}, []string{one + "item-1"},
			[]string{"item-1 replayed as message new-1, webhook-id evt_1\n"}, nil, 0},
		{"one in a long queue", "replay item-1 --json", []commandtest.Answered{
			commandtest.OneItem(deadletter.Running, "a=b"), commandtest.OneItem(deadletter.Running, "c"),
			commandtest.OneItem(deadletter.Completed, "")},
			[]string{one + "item-1", one + "item-1?cursor=a%3Db", one + "item-1?cursor=c"},
			[]string{`[{"kind":"item"`, `"status":"COMPLETED"`}, nil, 0},
		{"one that the API leaves", "replay item-1", []commandtest.Answered{commandtest.OneItem(deadletter.Running, "")},
			[]string{one + "item-1"}, nil,
			[]string{"left it RUNNING"}, 1},
		{"the same twice is one", "replay item-1 item-1", []commandtest.Answered{commandtest.OneItem(deadletter.Completed, "")},
			[]string{one + "item-1"},
			[]string{"item-1 replayed"}, nil, 0},
		{"several, some of which fail", "replay --yes item-1 item-2 item-3",
			[]commandtest.Answered{commandtest.Problem(404, "there is no item item-1"), commandtest.OneItem(deadletter.Completed, ""),
				commandtest.Problem(409, "held by ann")},
			[]string{one + "item-1", one + "item-2", one + "item-3"}, []string{"replayed as message"},
			[]string{"item-1 not replayed: there is no item item-1\n", "item-3 not replayed: held by ann\n",
				"efferent: 2 of 3 items not replayed\n"}, 1},
		{"and as JSON", "replay -y --json item-1 item-2", []commandtest.Answered{commandtest.Problem(404, "none"),
			commandtest.OneItem(deadletter.Completed, "")},
			[]string{one + "item-1", one + "item-2"},
			[]string{`"status":"FAILED"`, `"reason":"none","item_id":"item-1"`, `"status":"COMPLETED"`}, []string{"1 of 2 items not replayed"}, 1},
		{"a connection that breaks is not repeated", "replay item-1", []commandtest.Answered{commandtest.Ok(commandtest.Dropped{})},
			[]string{one + "item-1"}, nil,
			[]string{"may have done what it was asked for"}, 1},
		{"by a filter, in several requests", "replay --tenant acme --since 2026-11-24T08:00:00Z --yes", []commandtest.Answered{
			commandtest.Some(deadletter.Running, "a", 3, 0, ""), commandtest.Some(deadletter.Running, "b", 0, 0, ""),
			commandtest.Some(deadletter.Completed, "", 4, 0, "")},
			[]string{all + `{"tenant":"acme","since":"2026-11-24T08:00:00Z"}`, all + `{"tenant":"acme","since":"2026-11-24T08:00:00Z","cursor":"a"}`,
				all + `{"tenant":"acme","since":"2026-11-24T08:00:00Z","cursor":"b"}`},
			[]string{"7 replayed of 30 looked at in webhook-failures\n"}, nil, 0},
		{"as JSON", "replay --event a.b --json --yes", []commandtest.Answered{
			commandtest.Some(deadletter.Running, "a", 3, 0, ""), commandtest.Some(deadletter.Completed, "", 4, 0, "")},
			[]string{all + `{"event_type":"a.b"}`, all + `{"event_type":"a.b","cursor":"a"}`},
			[]string{`{"kind":"filter","queue":"webhook-failures","status":"COMPLETED","started_at":"2026-11-24T12:00:00Z","moved":7,` +
				`"examined":20}`}, nil, 0},
		{"by a filter, and some fail", "replay --reason x --yes",
			[]commandtest.Answered{commandtest.Some(deadletter.Running, "a", 3, 1, "too large"),
				commandtest.Some(deadletter.Completed, "", 0, 0, "")},
			[]string{all + `{"reason":"x"}`, all + `{"reason":"x","cursor":"a"}`}, []string{"3 replayed"},
			[]string{"1 not replayed, and still in webhook-failures: too large"}, 1},
		{"by a filter that others stand in the way of", "replay --reason x --yes",
			[]commandtest.Answered{commandtest.Some(deadletter.Completed, "", 1, 0, "somebody else holds messages")},
			[]string{all + `{"reason":"x"}`}, []string{"1 replayed"}, []string{"somebody else holds messages"}, 0},
		{"by a filter, and it breaks off", "replay --reason x --yes",
			[]commandtest.Answered{commandtest.Some(deadletter.Failed, "", 1, 0, "the audit queue can't be written")},
			[]string{all + `{"reason":"x"}`}, []string{"1 replayed"}, []string{"has not come to its end (FAILED): the audit queue"}, 1},
		{"by a filter, and a later request is refused", "replay --reason x --yes --json",
			[]commandtest.Answered{commandtest.Some(deadletter.Running, "a", 5, 0, ""), commandtest.Problem(409, "is being searched")},
			[]string{all + `{"reason":"x"}`, all + `{"reason":"x","cursor":"a"}`}, []string{`"status":"FAILED"`, `"moved":5`},
			[]string{"is being searched; 5 replayed before"}, 1},
		{"all", "replay --all --rate 9 --yes", []commandtest.Answered{commandtest.Started(commandtest.Move(deadletter.Running, 0)),
			commandtest.Moves(commandtest.Move(deadletter.Running, 7)),
			commandtest.Moves(commandtest.Move(deadletter.Completed, 1234))},
			[]string{all + `{"rate":9}`, "GET /api/v1/dlq/webhook-failures/tasks", "GET /api/v1/dlq/webhook-failures/tasks"},
			[]string{"1,234 replayed from webhook-failures by move task 17, and on their way\n"},
			[]string{`"efferent dlq tasks" shows the task, "efferent dlq list" what has failed again`}, 0},
		{"all, at a trice", "replay --all --yes --json", []commandtest.Answered{commandtest.Started(commandtest.Move(deadletter.Completed,
			1234))}, []string{all + `{}`},
			[]string{`{"kind":"all"`, `"moved":1234`}, nil, 0},
		{"all, without waiting", "replay --all --yes --no-wait", []commandtest.Answered{commandtest.Started(commandtest.Move(deadletter.Running,
			0))}, []string{all + `{}`},
			[]string{"move task 17 has begun: about 1,234 messages are on their way back to their queue\n"},
			[]string{`"efferent dlq tasks" shows`}, 0},
		{"all, while looking fails", "replay --all --yes", []commandtest.Answered{
			commandtest.Started(commandtest.Move(deadletter.Running, 0)), commandtest.Problem(503, "no"), commandtest.Moves(),
			commandtest.Moves(commandtest.Move(deadletter.Completed, 2))},
			[]string{all + `{}`, "GET /api/v1/dlq/webhook-failures/tasks", "GET /api/v1/dlq/webhook-failures/tasks",
				"GET /api/v1/dlq/webhook-failures/tasks"}, []string{"2 replayed"}, nil, 0},
		{"all, but somebody cancels it", "replay --all --yes --json",
			[]commandtest.Answered{commandtest.Started(commandtest.Move(deadletter.Running, 0)),
				commandtest.Moves(commandtest.Move(deadletter.Cancelled, 5))},
			[]string{all + `{}`, "GET /api/v1/dlq/webhook-failures/tasks"}, []string{`"status":"CANCELLED"`},
			[]string{"is CANCELLED; 5 of about 1,234 replayed"}, 1},
		{"all, while a task runs", "replay --all --yes --json", []commandtest.Answered{commandtest.Problem(409,
			"a message move task of this queue is running")},
			[]string{all + `{}`},
			nil, []string{"efferent: a message move task of this queue is running\n"}, 1},
		{"all, where SQS can't", "replay --all --yes", []commandtest.Answered{commandtest.Problem(501, "replay by a filter instead")},
			[]string{all + `{}`}, nil,
			[]string{"replay by a filter instead"}, 1},
		{"another queue", "replay --all --yes --no-wait --queue notification-failures",
			[]commandtest.Answered{commandtest.Started(commandtest.Move(deadletter.Running, 0))},
			[]string{"POST /api/v1/dlq/notification-failures/replay {}"}, []string{"has begun"},
			[]string{"efferent dlq tasks --queue notification-failures"}, 0},

		{"nothing to replay", "replay", nil, nil, nil, []string{"what is to be replayed?"}, 2},
		{"items and all", "replay --all item-1 --yes", nil, nil, nil, []string{"do not go together"}, 2},
		{"all and a filter", "replay --all --tenant a --yes", nil, nil, nil, []string{"do not go together"}, 2},
		{"all and an empty filter", "replay --all --tenant '' --yes", nil, nil, nil, []string{"--tenant is empty"}, 2},
		{"a filter half empty", "replay --reason= --event a --yes", nil, nil, nil, []string{"--reason is empty"}, 2},
		{"a rate without all", "replay --rate 5 item-1", nil, nil, nil, []string{"go with --all"}, 2},
		{"too high a rate", "replay --rate 501 --all --yes", nil, nil, nil, []string{"must be 1 to 500"}, 2},
		{"several without a yes", "replay item-1 item-2", nil, nil, nil, []string{"use --yes"}, 2},
		{"all without a yes", "replay --all", nil, nil, nil, []string{"use --yes"}, 2},
		{"a filter without a yes", "replay --tenant acme", nil, nil, nil, []string{"use --yes"}, 2},
	})
}

func TestDLQRmAndTasks(t *testing.T) {
	t.Parallel()
	const rm, tasks = "DELETE /api/v1/dlq/webhook-failures/", "/api/v1/dlq/webhook-failures/tasks"
	failed := commandtest.Move(deadletter.Failed, 5)
	failed.ID, failed.Reason, failed.Rate = "16", "AccessDenied", 10
	gone := commandtest.Answered{Status: http.StatusNoContent}
	runDLQCases(t, []commandtest.Case{
		{"discard one", "rm item-1", []commandtest.Answered{gone}, []string{rm + "item-1"}, []string{"item-1 discarded\n"}, nil, 0},
		{"discard one in a long queue", "rm item-1 --json", []commandtest.Answered{commandtest.OneItem(deadletter.Running, "a"), gone},
			[]string{rm + "item-1", rm + "item-1?cursor=a"},
			[]string{`[{"kind":"item","queue":"webhook-failures","status":"COMPLETED","moved":0,"item_id":"item-1"}]`}, nil, 0},
		{"discard several, and one fails", "rm --yes item-1 item-2", []commandtest.Answered{commandtest.Problem(404, "no such item"), gone},
			[]string{rm + "item-1", rm + "item-2"},
			[]string{"item-2 discarded\n"}, []string{"item-1 not discarded: no such item\n", "1 of 2 items not discarded"}, 1},
		{"discard several without a yes", "rm item-1 item-2", nil, nil, nil, []string{"use --yes"}, 2},
		{"tasks", "tasks", []commandtest.Answered{commandtest.Moves(commandtest.Move(deadletter.Running, 7), failed)}, []string{"GET " + tasks},
			[]string{"ID  STATUS   STARTED              MOVED  OF     RATE  REASON\n", "17  RUNNING  2026-11-24 12:00:00  7      1,234  -\n",
				"16  FAILED   2026-11-24 12:00:00  5      1,234  10/s  AccessDenied\n"}, nil, 0},
		{"tasks as JSON", "tasks --json", []commandtest.Answered{commandtest.Moves(commandtest.Move(deadletter.Running, 7))},
			[]string{"GET " + tasks},
			[]string{`{"tasks":[{"kind":"all"`}, nil, 0},
		{"no tasks", "tasks", []commandtest.Answered{commandtest.Moves()}, []string{"GET " + tasks}, nil,
			[]string{"no move task of webhook-failures"}, 0},
		{"cancel", "tasks --cancel 17", []commandtest.Answered{commandtest.Started(commandtest.Move(deadletter.Cancelling, 7))},
			[]string{"DELETE " + tasks + "/17"},
			[]string{"17 CANCELLING; 7 of about 1,234 moved\n"}, nil, 0},
		{"cancel, as JSON", "tasks --cancel 17 --json", []commandtest.Answered{commandtest.Started(commandtest.Move(deadletter.Cancelling, 7))},
			[]string{"DELETE " + tasks + "/17"},
			[]string{`"status":"CANCELLING"`}, nil, 0},
		{"cancel what has ended", "tasks --cancel 16", []commandtest.Answered{commandtest.Problem(409, "only a running one can be cancelled")},
			[]string{"DELETE " + tasks + "/16"},
			nil, []string{"only a running one can be cancelled"}, 1},
	})
}

// TestDLQInterrupted presses Ctrl-C when the last of the requests has come.
func TestDLQInterrupted(t *testing.T) {
	t.Parallel()
	running := commandtest.Moves(commandtest.Move(deadletter.Running, 7))
	for name, c := range map[string]struct {
		args     string
		answers  []commandtest.Answered
		requests int
		stdout   string
		stderr   []string
	}{
		"a move task": {"replay --all --yes", []commandtest.Answered{commandtest.Started(commandtest.Move(deadletter.Running, 0)), running}, 2,
			"",
			[]string{"interrupted: the move task goes on", `"efferent dlq tasks --cancel 17" cancels it`}},
		"a move task, as JSON": {"replay --all --yes --json", []commandtest.Answered{commandtest.Started(commandtest.Move(deadletter.Running,
			0)), running}, 3, `"moved":7`,
			[]string{"the move task goes on"}},
		"the start of a move task": {"replay --all --yes", []commandtest.Answered{commandtest.Ok(commandtest.Hang{})}, 1, "",
			[]string{`interrupted: whether the move task has begun, "efferent dlq tasks" shows`}},
		"a filter": {"replay --tenant acme --yes", []commandtest.Answered{commandtest.Some(deadletter.Running, "a", 5, 0, ""),
			commandtest.Ok(commandtest.Hang{})}, 2, "",
			[]string{"interrupted: 5 replayed before", "the API completes", "stays in webhook-failures"}},
		"a filter, as JSON": {"replay --tenant acme --yes --json",
			[]commandtest.Answered{commandtest.Some(deadletter.Running, "a", 5, 0, ""), commandtest.Ok(commandtest.Hang{})}, 2,
			`"status":"CANCELLED"`,
			[]string{"interrupted: 5 replayed before"}},
		"items": {"replay item-1 item-2 item-3 --yes", []commandtest.Answered{commandtest.OneItem(deadletter.Completed, ""),
			commandtest.Ok(commandtest.Hang{})}, 2, "item-1 replayed",
			[]string{"interrupted: 1 of 3 items replayed; what the API had begun it completes"}},
		"a discard": {"rm item-1 item-2 --yes --json", []commandtest.Answered{{Status: http.StatusNoContent},
			commandtest.Ok(commandtest.Hang{})}, 2, `"COMPLETED"`,
			[]string{"interrupted: 1 of 2 items discarded"}},
		"a list": {"list", []commandtest.Answered{commandtest.Ok(commandtest.Hang{})}, 1, "", []string{"efferent: interrupted\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := commandtest.ScriptAPI(t, c.answers...)
			cmd := api.Prepare(strings.Fields("dlq " + c.args)...)
			var stdout, stderr strings.Builder
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			for range c.requests {
				select {
				case <-api.Seen:
				case <-time.After(commandtest.Soon):
					_ = cmd.Process.Kill()
					t.Fatal("it asked for less")
				}
			}
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if code := cmd.ProcessState.ExitCode(); code != 130 {
				t.Errorf("exit code %d", code)
			}
			if c.stdout == "" && stdout.String() != "" {
				t.Errorf("stdout: %s", &stdout)
			}
			commandtest.MustHold(t, "stdout", stdout.String(), []string{c.stdout})
			commandtest.MustHold(t, "stderr", stderr.String(), c.stderr)
		})
	}
}

func runDLQCases(t *testing.T, cases []commandtest.Case) {
	t.Helper()
	commandtest.RunCases(t, "dlq", cases)
}
