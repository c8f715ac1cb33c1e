package awsdynamodb

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/waiting"
)

func atOncePause(context.Context, time.Duration) error { return nil }

func TestWaiting(t *testing.T) {
	t.Parallel()
	storetest.TestWaiting(t, &Waiting{API: newFakeTable(placeName, positionName), Table: "waiting", Wait: atOncePause})
}

var (
	entered = time.Date(2026, 11, 24, 8, 0, 0, 123_456_789, time.UTC)
	due     = entered.Add(time.Hour)
)

// newRoom is a waiting room on a table that is played. What is settled is so a
// day after it was due.
func newRoom() (*Waiting, *fakeTable) {
	f := newFakeTable(placeName, positionName)
	return &Waiting{API: f, Table: "waiting", Wait: atOncePause, Now: func() time.Time { return due.Add(24 * time.Hour) }}, f
}

// typicalItem is a webhook of 1 KiB that waits: its body is 600 bytes compressed,
// at most.
func typicalItem(t *testing.T) waiting.Item {
	t.Helper()
	i := waiting.Item{
		Queue: "webhooks", MessageID: uuid.NewString(), Attempt: 4, Due: due, State: waiting.Waiting, Group: "customer-1042/5",
		Carried: message.Carried{Origin: uuid.NewString(), Attempts: 4, Base: 1, First: entered.Add(-time.Hour), Retry: "standard",
			Released: entered.Add(-30 * time.Minute), Held: message.Held{"delay": 2105 * time.Second, "retry-after": time.Minute}},
		WebhookID: "evt_" + uuid.NewString(), Tenant: "customer-1042", URL: "https://hooks.customer-1042.test/" + uuid.NewString()[:27],
		Reason: waiting.Delay, Why: "answered 503 Service Unavailable", Since: entered,
	}
	var lines []string
	for size := 0; size < 650; size += 62 {
		lines = append(lines, fmt.Sprintf(`{"sku":"%.20s","amount":%d,"currency":"EUR"}`, uuid.NewString(), 1000+size*7919%9000))
	}
	i.Body = fmt.Sprintf(`{"id":"%s","url":"%s","secret":"efferent/webhooks/customer-1042","event_type":"invoice.paid",`+
		`"tenant":"customer-1042","retry":"standard","body":{"invoice":"%s","lines":[%s]}}`, i.WebhookID, i.URL, uuid.NewString(),
		strings.Join(lines, ","))
	if n, packed := len(i.Body), compressed(t, i.Body); n < 980 || n > 1024 || packed < 400 || packed > 600 {
		t.Fatalf("that is not typical: a body of %d bytes, %d compressed", n, packed)
	}
	return i
}

// compressed is how long a text is by itself.
func compressed(t *testing.T, text string) int {
	t.Helper()
	var alone bytes.Buffer
	w, err := flate.NewWriter(&alone, packLevel)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return alone.Len()
}

// TestWhatWaitingCosts counts what AWS bills for one message.
func TestWhatWaitingCosts(t *testing.T) {
	t.Parallel()
	typical, large, noisy := typicalItem(t), typicalItem(t), typicalItem(t)
	large.Body = strings.Repeat("x", 100) + noise(40<<10)
	noisy.Body = noise(755) // the JSON has nothing of it
	if n := compressed(t, noisy.Body); n < 580 || n > 600 {
		t.Fatalf("the noise is %d bytes", n)
	}
	for name, c := range map[string]struct {
		item          waiting.Item
		enter, settle float64
	}{
		"typical": {typical, 1, 1}, "600 bytes of noise": {noisy, 1, 1}, "large": {large, 1 + 31, 1},
	} {
		w, f := newRoom()
		spent := func(do func() error) float64 {
			t.Helper()
			before := f.writes
			if err := do(); err != nil {
				t.Fatal(err)
			}
			return f.writes - before
		}
		enter := func() error { _, err := w.Enter(t.Context(), c.item); return err }
		cost := spent(enter)
		head := sizeOf(f.items[f.key(roomKey(string(c.item.Place()), c.item.Position()))])
		settle := spent(func() error { return w.Settle(t.Context(), []waiting.Item{c.item}, waiting.Sent) })
		stays := sizeOf(f.items[f.key(roomKey(string(c.item.Place()), c.item.Position()))])
		t.Logf("%s: %.0f write units to enter (a head of %d bytes), %.0f to settle (%d bytes stay)", name, cost, head, settle, stays)
		if cost > c.enter || settle > c.settle {
			t.Errorf("%s: %v write units to enter, %v to settle; want at most %v and %v", name, cost, settle, c.enter, c.settle)
		}
	}
	w, f := newRoom()
	if any, err := w.Any(t.Context(), "nobody's"); any || err != nil || f.reads != 0.5 {
		t.Errorf("to look at an empty place costs %v read units; %v, %v", f.reads, any, err)
	}
}

// noise is text of six bits a byte.
func noise(size int) string {
	b := make([]byte, size)
	_, _ = rand.Read(b)
	for i := range b {
		b[i] = b[i]%64 + '0'
	}
	return string(b)
}

// TestPackedIsRead reads what a former version packed: the dictionary and the
// way of packing never change.
func TestPackedIsRead(t *testing.T) {
	t.Parallel()
	const dictionaryBefore = "a620915af6ef2a9eb93e2e9f9b97b2d0e075f8d288c9a62af6044430946ba895"
	if now := fmt.Sprintf("%x", sha256.Sum256([]byte(dictionary))); now != dictionaryBefore {
		t.Errorf("the dictionary has changed: its SHA-256 is %s", now)
	}
	packed, err := base64.StdEncoding.DecodeString(packedBefore)
	if err != nil {
		t.Fatal(err)
	}
	want := waiting.Item{Queue: "webhooks", MessageID: "m", Attempt: 2, Due: due, State: waiting.Waiting, Body: "{\"id\":\n\"evt_1\"}",
		Group: "a/1", WebhookID: "evt_1", Reason: waiting.Asked, Since: entered}
	got, err := unpack(packed)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		again, _ := pack(want)
		t.Errorf("%v (-want +got):\n%s\nnow it is packed as %s", err, diff, base64.StdEncoding.EncodeToString(again))
	}
}

const packedBefore = `Ihz6ucjBb4QS/IaGukYmIQaWVgYGVgYGeoZGxiamZuYWllF44yVR31AJi5cNkT2AFFLoLoZaaoFpaS0XJF65oObVAgIAAP//`

// TestRoomExpires: the table's TTL takes what was settled, or was due, 14 days
// ago, and what only a head leads to later than that.
func TestRoomExpires(t *testing.T) {
	t.Parallel()
	w, f := newRoom()
	item := func(id string, state waiting.State, body string) waiting.Item {
		return waiting.Item{MessageID: id, Attempt: 1, Due: due, State: state, Body: body}
	}
	for _, i := range []waiting.Item{item("waits", waiting.Waiting, ""), item("sent", waiting.Waiting, ""), item("kept", waiting.Kept, ""),
		item("large", waiting.Waiting, noise(8<<10))} {
		if _, err := w.Enter(t.Context(), i); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Settle(t.Context(), []waiting.Item{item("sent", "", "")}, waiting.Sent); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for key, i := range f.items {
		_, id, _ := strings.Cut(key, due.Format(":05.000000000Z")+"#")
		if strings.HasPrefix(key, "part#") {
			id = "part"
		}
		got[id] = i[expiresName].(*types.AttributeValueMemberN).Value
	}
	fourteenDays := time.Date(2026, 12, 8, 9, 0, 0, 0, time.UTC)
	want := map[string]string{}
	for id, days := range map[string]int{"waits-1": 0, "large-1": 0, "sent-1": 1, "kept-1": 1, "part": 7} {
		want[id] = fmt.Sprint(fourteenDays.AddDate(0, 0, days).Unix())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRoomReads: what is promised to be seen at once is read consistently, and
// what is only a hint is not.
func TestRoomReads(t *testing.T) {
	t.Parallel()
	w, f := newRoom()
	i := waiting.Item{MessageID: "m", Attempt: 1, Due: due, State: waiting.Waiting, Body: noise(8 << 10)}
	if _, err := w.Enter(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	var reads []bool
	f.fault = func(_ string, in any) (before, after error) {
		switch in := in.(type) {
		case *sdk.QueryInput:
			reads = append(reads, aws.ToBool(in.ConsistentRead))
		case *sdk.GetItemInput:
			reads = append(reads, aws.ToBool(in.ConsistentRead))
		case *sdk.ScanInput:
			reads = append(reads, aws.ToBool(in.ConsistentRead))
		}
		return nil, nil
	}
	for name, c := range map[string]struct {
		do   func() error
		want []bool
	}{
		"In, and parts":   {func() error { _, err := w.In(t.Context(), i.Place(), "", 10); return err }, []bool{true, true}},
		"Any":             {func() error { _, err := w.Any(t.Context(), i.Place()); return err }, []bool{false}},
		"Count":           {func() error { _, _, err := w.Count(t.Context(), i.Place(), 10); return err }, []bool{false}},
		"Page, and parts": {func() error { _, _, err := w.Page(t.Context(), "", 10); return err }, []bool{false, true}},
		"Swept":           {func() error { _, err := w.Swept(t.Context()); return err }, []bool{true}},
	} {
		reads = nil
		if err := c.do(); err != nil || !slices.Equal(reads, c.want) {
			t.Errorf("%s: consistent reads: %v, want %v; %v", name, reads, c.want, err)
		}
	}
}

// TestManyTombstones: where most was settled the rest is found in a few pages.
func TestManyTombstones(t *testing.T) {
	t.Parallel()
	w, f := newRoom()
	var all []waiting.Item
	for n := range 1500 {
		i := waiting.Item{MessageID: "m", Attempt: n, Due: due.Add(time.Duration(n)), State: waiting.Waiting}
		all = append(all, i)
	}
	if _, err := w.Enter(t.Context(), all[1499]); err != nil {
		t.Fatal(err)
	}
	if err := w.Settle(t.Context(), all[:1499], waiting.Sent); err != nil {
		t.Fatal(err)
	}
	for name, do := range map[string]func() (bool, error){
		"any": func() (bool, error) { return w.Any(t.Context(), all[0].Place()) },
		"in": func() (bool, error) {
			items, err := w.In(t.Context(), all[0].Place(), "", 1)
			return len(items) == 1 && cmp.Equal(items[0], all[1499]), err
		},
	} {
		before := f.requests["Query"]
		if ok, err := do(); err != nil || !ok || f.requests["Query"]-before > 15 {
			t.Errorf("%s: %v, %v after %d queries", name, ok, err, f.requests["Query"]-before)
		}
	}
	// Who knows where it begins reads nothing else.
	before := f.requests["Query"]
	items, err := w.In(t.Context(), all[0].Place(), all[1499].Position(), 1)
	if err != nil || len(items) != 1 || f.requests["Query"] != before+1 {
		t.Errorf("from there on: %v, %v after %d queries", items, err, f.requests["Query"]-before)
	}
}

// TestCountGivesUp: a place where more was settled than is read for a count says
// that there may be more.
func TestCountGivesUp(t *testing.T) {
	t.Parallel()
	w, f := newRoom()
	var all []waiting.Item
	for n := range 4000 {
		all = append(all, waiting.Item{MessageID: "m", Attempt: n, Due: due.Add(time.Duration(n)), State: waiting.Waiting})
	}
	if err := w.Settle(t.Context(), all, waiting.Sent); err != nil {
		t.Fatal(err)
	}
	if n, more, err := w.Count(t.Context(), all[0].Place(), 10); n != 0 || !more || err != nil || f.requests["Query"] != countPages {
		t.Errorf("%d, and more: %v, %v after %d queries", n, more, err, f.requests["Query"])
	}
}

// TestRoomFaults: what fails says so, names the table, and leaves what the same
// call, made again, sets right.
func TestRoomFaults(t *testing.T) {
	t.Parallel()
	small := waiting.Item{MessageID: "m", Attempt: 1, Due: due, State: waiting.Waiting, Body: "secret"}
	large := small
	large.Body = noise(8 << 10)
	enter := func(i waiting.Item) func(context.Context, *Waiting) error {
		return func(ctx context.Context, w *Waiting) error {
			state, err := w.Enter(ctx, i)
			if err == nil && state != waiting.Waiting {
				err = fmt.Errorf("it is %s", state)
			}
			return err
		}
	}
	for _, c := range []struct {
		name, request string
		do            func(context.Context, *Waiting) error
	}{
		{"enter", "PutItem", enter(small)},
		{"enter in parts", "PutItem", enter(large)},
		{"in", "Query", func(ctx context.Context, w *Waiting) error { _, err := w.In(ctx, small.Place(), "", 10); return err }},
		{"any", "Query", func(ctx context.Context, w *Waiting) error { _, err := w.Any(ctx, small.Place()); return err }},
		{"count", "Query", func(ctx context.Context, w *Waiting) error { _, _, err := w.Count(ctx, small.Place(), 10); return err }},
		{"settle", "BatchWriteItem", func(ctx context.Context, w *Waiting) error {
			return w.Settle(ctx, []waiting.Item{small, large}, waiting.Sent)
		}},
		{"page", "Scan", func(ctx context.Context, w *Waiting) error { _, _, err := w.Page(ctx, "", 10); return err }},
		{"lease", "PutItem", func(ctx context.Context, w *Waiting) error {
			ok, err := w.Lease(ctx, "p", "a", entered, due)
			if err == nil && !ok {
				err = errors.New("another has it")
			}
			return err
		}},
		{"unlease", "DeleteItem", func(ctx context.Context, w *Waiting) error { return w.Unlease(ctx, "p", "a") }},
		{"swept", "GetItem", func(ctx context.Context, w *Waiting) error { _, err := w.Swept(ctx); return err }},
		{"sweep", "PutItem", func(ctx context.Context, w *Waiting) error { return w.Sweep(ctx, due) }},
	} {
		for name, persists := range map[string]bool{"failed": false, "failed but persisted": true} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				w, f := newRoom()
				failures := 1
				f.fault = func(request string, _ any) (before, after error) {
					if request != c.request || failures == 0 {
						return nil, nil
					}
					failures--
					if persists {
						return nil, errDown
					}
					return errDown, nil
				}
				err := c.do(t.Context(), w)
				if !errors.Is(err, errDown) || !strings.Contains(err.Error(), "table waiting") || strings.Contains(err.Error(), "secret") {
					t.Fatalf("got %v", err)
				}
				if err := c.do(t.Context(), w); err != nil || failures != 0 {
					t.Errorf("again: %v", err)
				}
			})
		}
	}
}

// TestNoHeadWithoutItsParts: a head that is there leads to all of its item.
func TestNoHeadWithoutItsParts(t *testing.T) {
	t.Parallel()
	i := waiting.Item{MessageID: "m", Attempt: 1, Due: due, State: waiting.Waiting, Body: noise(message.MaxSize)}
	for puts := range 3 { // two parts and the head
		w, f := newRoom()
		left := puts
		f.fault = func(string, any) (before, after error) {
			if left--; left < 0 {
				return errDown, nil
			}
			return nil, nil
		}
		if _, err := w.Enter(t.Context(), i); !errors.Is(err, errDown) {
			t.Fatalf("after %d puts: %v", puts, err)
		}
		f.fault = nil
		if got, err := w.In(t.Context(), i.Place(), "", 10); err != nil || len(got) != 0 {
			t.Errorf("after %d puts %d wait, %v", puts, len(got), err)
		}
		if _, err := w.Enter(t.Context(), i); err != nil || len(f.items) != 3 {
			t.Errorf("after %d puts, and again: %d items, %v", puts, len(f.items), err)
		}
	}
}

// TestRoomItemsThatCannotBeRead: nothing is given out in part.
func TestRoomItemsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(head, part map[string]types.AttributeValue){
		"no body": func(head, _ map[string]types.AttributeValue) { delete(head, digestName) },
		"another's part": func(head, _ map[string]types.AttributeValue) {
			head[digestName] = &types.AttributeValueMemberS{Value: "x"}
		},
		"too few parts": func(head, _ map[string]types.AttributeValue) { head[partsName] = number(2) },
		"no count":      func(head, _ map[string]types.AttributeValue) { delete(head, partsName) },
		"an empty part": func(_, part map[string]types.AttributeValue) { delete(part, packedName) },
		"half a part": func(_, part map[string]types.AttributeValue) {
			part[packedName] = &types.AttributeValueMemberB{Value: part[packedName].(*types.AttributeValueMemberB).Value[:5000]}
		},
		"no JSON": func(_, part map[string]types.AttributeValue) {
			part[packedName] = &types.AttributeValueMemberB{Value: []byte{1, 1, 0, 0xfe, 0xff, '{'}}
		},
	} {
		w, f := newRoom()
		i := waiting.Item{MessageID: "m", Attempt: 1, Due: due, State: waiting.Waiting, Body: noise(8 << 10)}
		if _, err := w.Enter(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		head := f.items[f.key(roomKey(string(i.Place()), i.Position()))]
		for key, part := range f.items {
			if strings.HasPrefix(key, "part#") {
				spoil(head, part)
			}
		}
		for call, do := range map[string]func() ([]waiting.Item, error){
			"In":   func() ([]waiting.Item, error) { return w.In(t.Context(), i.Place(), "", 10) },
			"Page": func() ([]waiting.Item, error) { items, _, err := w.Page(t.Context(), "", 10); return items, err },
		} {
			if items, err := do(); err == nil || len(items) > 0 || !strings.Contains(err.Error(), "table waiting") {
				t.Errorf("%s, %s: %d items, %v", name, call, len(items), err)
			}
		}
		delete(head, stateName)
		if state, err := w.Enter(t.Context(), i); err == nil {
			t.Errorf("what has no state is %q", state)
		}
	}
}
