package event

import (
	"hash/fnv"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Head is what stands before the body in the message that sends an event to an endpoint:
// a webhook's. After the body comes a brace.
func Head(endpoint, id, tenant, eventType string) []byte {
	const before = `{"endpoint":"","id":"","tenant":"","event_type":"","body":`
	b := make([]byte, 0, len(before)+len(endpoint)+len(id)+len(tenant)+2*len(eventType))
	b = append(append(b, `{"endpoint":"`...), endpoint...)
	b = append(append(b, `","id":"`...), id...)
	b = append(append(b, `","tenant":"`...), tenant...)
	b = append(b, `","event_type":`...)
	b, _ = jsontext.AppendQuote(b, eventType) // its letters are ASCII's
	return append(b, `,"body":`...)
}

// shares is over how many message groups a tenant's endpoints are spread: one that is
// dead takes as large a part of its tenant's turn, and a tenant at most so many turns.
const shares = 8

// Group is the message group of what goes to an endpoint of a tenant ("Amazon SQS fair
// queues").
func Group(tenant, endpoint string) string {
	h := fnv.New32a()
	h.Write([]byte(endpoint))
	return tenant + "/" + strconv.FormatUint(uint64(h.Sum32()%shares), 10)
}
