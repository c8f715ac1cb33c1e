package awsdynamodb

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/go-json-experiment/json"
	"golang.org/x/sync/errgroup"

	"github.com/efferent/efferent/internal/waiting"
)

// The attributes of the room's items.
const (
	placeName    = "place"
	positionName = "position"
	stateName    = "state"
	packedName   = "packed" // of one that waits: see pack
	waitedName   = "waited" // of one that does not: waiting.Item as JSON
	digestName   = "digest" // instead of packed: its parts' name
	partsName    = "parts"  // and how many there are
)

func roomKey(place, position string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		placeName:    &types.AttributeValueMemberS{Value: place},
		positionName: &types.AttributeValueMemberS{Value: position},
	}
}

// stateItem is what stands in an item's place, until a time.
func stateItem(i waiting.Item, state waiting.State, until time.Time) map[string]types.AttributeValue {
	item := roomKey(string(i.Place()), i.Position())
	item[stateName] = &types.AttributeValueMemberS{Value: string(state)}
	item[expiresName] = number(until.Unix())
	return item
}

func packedItem(i waiting.Item, packed []byte) map[string]types.AttributeValue {
	item := stateItem(i, waiting.Waiting, i.Due.Add(waiting.Retention))
	item[packedName] = &types.AttributeValueMemberB{Value: packed}
	return item
}

// settledItem is what stays of an item. It can be read by eye.
func settledItem(i waiting.Item, as waiting.State, now time.Time) (map[string]types.AttributeValue, error) {
	item := stateItem(i, as, now.Add(waiting.Retention))
	b, err := json.Marshal(i.Settled(as))
	if err != nil {
		return nil, fmt.Errorf("item %s: %w", i.ID(), err)
	}
	item[waitedName] = &types.AttributeValueMemberS{Value: string(b)}
	return item, nil
}

// items reads what waits. Where one can't be read none is given.
func (w *Waiting) items(ctx context.Context, found []map[string]types.AttributeValue) ([]waiting.Item, error) {
	all := make([]waiting.Item, len(found))
	reading, ctx := errgroup.WithContext(ctx)
	reading.SetLimit(atOnce)
	for n, item := range found {
		reading.Go(func() (err error) {
			all[n], err = w.item(ctx, item)
			return err
		})
	}
	if err := reading.Wait(); err != nil {
		return nil, err
	}
	return all, nil
}

func (w *Waiting) item(ctx context.Context, item map[string]types.AttributeValue) (i waiting.Item, err error) {
	r := itemReader{item: item}
	position := r.text(positionName)
	var packed []byte
	if item[digestName] == nil {
		packed = r.bytes(packedName)
	} else {
		packed, err = w.readParts(ctx, partsPlace(position), r.text(digestName), int(r.number(partsName)))
	}
	if err == nil {
		err = r.err
	}
	if err == nil {
		i, err = unpack(packed)
	}
	if err != nil {
		return i, fmt.Errorf("what waits at %s in table %s: %w", position, w.Table, err)
	}
	return i, nil
}

// dictionary is text that items are likely to hold, the likeliest last: what is
// packed refers to it (RFC 1951, with a window that is full of it at first). It
// never changes, since what waits could not be read any more.
const dictionary = `efferent-Number.Binary"type":"String","text":"application/json503 Service Unavailable429 Too Many Requests` +
	`no connection: no answer within 10 stemporarily` +
	`{"id":"evt_","url":"https://hooks.","secret":"efferent/webhooks/","event_type":"","tenant":"","retry":"standard","body":{"` +
	`{"queue":"notifications","channel":"emailslacksmsteams","reason":"trouble","why":"retry-afterlimit` +
	`{"queue":"webhooks","message_id":"","attempt":1,"due":"2026-","state":"waiting","group":"/","attributes":{"carried":{"id":"",` +
	`"origin":"","attempts":1,"base":1,"first":"2026-","released":"2026-","retry":"standard","held":"delay=,limit=,retry-after=,` +
	`trouble="},"webhook_id":"evt_","tenant":"","url":"https://hooks.","channel":"sms","reason":"delay","why":"answered 503",` +
	`"since":"2026-`

// packLevel is as small as the best one, nearly, at little more than the fastest
// that uses a dictionary.
const packLevel = 5

var (
	packers = sync.Pool{New: func() any {
		w, err := flate.NewWriterDict(io.Discard, packLevel, []byte(dictionary))
		if err != nil {
			panic(err) // the level is a constant
		}
		return w
	}}
	unpackers = sync.Pool{New: func() any { return flate.NewReaderDict(nil, []byte(dictionary)) }}
)

// pack writes an item as JSON without its body, a line's end, and the body as it
// is, compressed. The body most often has much of the JSON in it.
func pack(i waiting.Item) ([]byte, error) {
	body := i.Body
	i.Body = ""
	text, err := json.Marshal(i)
	if err != nil {
		return nil, fmt.Errorf("item %s: %w", i.ID(), err)
	}
	var packed bytes.Buffer
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&packed)
	for _, b := range [][]byte{text, []byte("\n"), []byte(body)} {
		if _, err := w.Write(b); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return packed.Bytes(), err
}

func unpack(packed []byte) (i waiting.Item, err error) {
	r := unpackers.Get().(io.Reader)
	defer unpackers.Put(r)
	if err := r.(flate.Resetter).Reset(bytes.NewReader(packed), []byte(dictionary)); err != nil {
		return i, err
	}
	all, err := io.ReadAll(r)
	if err != nil {
		return i, fmt.Errorf("it is not packed: %w", err)
	}
	text, body, _ := bytes.Cut(all, []byte("\n"))
	if err := json.Unmarshal(text, &i); err != nil {
		return i, fmt.Errorf("it is not packed: %w", err)
	}
	i.Body = string(body)
	return i, nil
}
