package commandtest

import (
	"fmt"
	"net/http"
	"time"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/handlers/replay"
)

// CircuitOf is an open circuit that n messages wait for.
func CircuitOf(name circuit.Name, n int) replay.Circuit {
	return replay.Circuit{ID: name.Key(), Scope: string(name.Scope), Tenant: name.Tenant, URL: name.URL, Phase: replay.PhaseOpen,
		Why: "5 failures in\x1b[2J a row", Opened: Noon, Until: Noon.Add(time.Minute), Waiting: n}
}

// ItemNo is a dead letter of that number.
func ItemNo(i int) replay.Item {
	return replay.Item{ItemID: fmt.Sprint("item-", i), WebhookID: fmt.Sprint("evt_", i), EventType: "invoice.paid", URL: "https://a.test/in",
		Reason: "the endpoint answered 404", LastStatus: 404, Attempts: 1, FirstAt: Noon, LastAt: Noon}
}

// Items are n dead letters, numbered from from.
func Items(from, n int) (all []replay.Item) {
	for i := range n {
		all = append(all, ItemNo(from+i))
	}
	return all
}

// Started answers with a task that was started.
func Started(t replay.Task) Answered { return Answered{http.StatusAccepted, replay.Started{Task: t}} }

// OneItem answers for an act on item-1.
func OneItem(status, cursor string) Answered {
	return Started(replay.Task{Kind: replay.KindItem, Status: status, Cursor: cursor, ItemID: "item-1", WebhookID: "evt_1",
		MessageID: "new-1", Moved: 1})
}

// Some answers for an act on those of a filter.
func Some(status, cursor string, moved int64, failed int, reason string) Answered {
	return Started(replay.Task{Kind: replay.KindFilter, Queue: "webhook-failures", Status: status, Cursor: cursor, StartedAt: Noon,
		Moved: moved, Examined: 10, Failed: failed, Reason: reason})
}

// Move is a move task.
func Move(status string, moved int64) replay.Task {
	return replay.Task{Kind: replay.KindAll, Queue: "webhook-failures", ID: "17", Status: status, StartedAt: Noon, Moved: moved, ToMove: 1234}
}

// Moves answers with move tasks.
func Moves(tasks ...replay.Task) Answered { return Ok(replay.Tasks{Tasks: tasks}) }

// CountNo counts what waits of a tenant.
func CountNo(tenant string, n int) replay.WaitingCount {
	return replay.WaitingCount{Queue: "webhooks", Tenant: tenant, URL: "https://a.test/in", Reason: "delay", Count: n, Since: Noon,
		Next: Noon.Add(time.Hour), Until: Noon.Add(2 * time.Hour)}
}

// Counts answers with counts of what waits.
func Counts(cursor string, all ...replay.WaitingCount) Answered {
	return Ok(replay.WaitingCounts{Items: all, Complete: cursor == "", Cursor: cursor})
}

// Acted answers for an act on what waits.
func Acted(status, cursor string, moved int64, failed int, reason string) Answered {
	return Started(replay.Task{Kind: replay.KindFilter, Status: status, Cursor: cursor, StartedAt: Noon, Moved: moved, Examined: 10,
		Failed: failed, Reason: reason})
}

// TheEndpoint is the circuit of an endpoint.
var TheEndpoint = circuit.Name{Scope: circuit.Endpoint, Tenant: "acme", URL: "https://a.test/in"}
