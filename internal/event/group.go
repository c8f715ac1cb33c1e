package event

import (
	"hash/fnv"
	"strconv"
)

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
