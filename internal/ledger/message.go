package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
)

// MessageLimit is the most bytes of one audit message's body. SQS takes 1 MiB;
// the rest is room for its attributes.
const MessageLimit = 900 << 10

// DefaultLanes is the number of logs that entries are spread over. SQS allows
// 300 sends a second per FIFO message group, and each lane is one group.
const DefaultLanes = 4

const (
	messageHead = `{"v":1,"entries":[`
	messageTail = `]}`
)

// Messages packs entries, in order, into audit message bodies of at most
// limit bytes (MessageLimit for SQS). An entry that is larger than that alone
// gets a message of its own.
func Messages(entries []Entry, limit int) ([][]byte, error) {
	const usual = 320 // bytes of an entry
	var out [][]byte
	cur := make([]byte, 0, min(limit, usual*len(entries)))
	for _, e := range entries {
		before := len(cur)
		if before == 0 {
			cur = append(cur, messageHead...)
		} else {
			cur = append(cur, ',')
		}
		start := len(cur)
		var err error
		if cur, err = e.AppendJSON(cur); err != nil {
			return nil, err
		}
		if before > 0 && len(cur)+len(messageTail) > limit {
			entry := cur[start:]
			out = append(out, slices.Concat(cur[:before], []byte(messageTail)))
			cur = append([]byte(messageHead), entry...)
		}
	}
	if len(cur) > 0 {
		out = append(out, append(cur, messageTail...))
	}
	return out, nil
}

// Lane names the message group, and so the log, for a key: "lane-0" to
// "lane-<lanes-1>". The same key always gets the same lane.
func Lane(key string, lanes int) string {
	h := fnv.New32a()
	h.Write([]byte(key))
	return LaneName(int(h.Sum32() % uint32(max(1, lanes))))
}

// DeduplicationID is the id under which SQS drops a repeated send of body.
func DeduplicationID(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// LaneName is the name of the lane of that number, from 0 on.
func LaneName(n int) string { return "lane-" + strconv.Itoa(n) }

// IsLane reports whether a name is one of those that Lane gives. Lanes are
// parts of paths.
func IsLane(name string) bool {
	digits, ok := strings.CutPrefix(name, "lane-")
	n, err := strconv.Atoi(digits)
	return ok && err == nil && n >= 0 && n < MaxLanes && name == LaneName(n)
}

// MaxLanes is the most lanes that a ledger can have.
const MaxLanes = 1000
