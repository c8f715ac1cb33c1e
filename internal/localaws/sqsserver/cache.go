package sqsserver

import (
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// content is what a message carries, as receives give it.
type content struct {
	body, md5  string
	attributes map[string]types.MessageAttributeValue
	trace      string // AWSTraceHeader
	size       int
}

// cacheBudget bounds the memory that all queues' cached contents take.
type cacheBudget struct {
	limit int64
	used  atomic.Int64
}

const (
	// contentBudget is for all queues together, in bytes.
	contentBudget = 64 << 20
	// contentShare is what a queue may keep even when others have used up
	// the budget.
	contentShare = 1 << 20
)

// cache is the list of a queue's messages whose contents are in memory: the
// newest ones. The others are read from the store when they are received.
type cache struct {
	budget         *cacheBudget
	used           int64
	oldest, newest *message
}

// contentOverhead is about what a content takes besides its size.
const contentOverhead = 512

// keep makes c the cached content of m, at the cost of the oldest ones.
func (l *cache) keep(m *message, c *content) {
	if m.content != nil {
		return
	}
	m.content = c
	m.older, m.newer = l.newest, nil
	if l.newest != nil {
		l.newest.newer = m
	} else {
		l.oldest = m
	}
	l.newest = m
	l.add(c.size + contentOverhead)
	for l.used > contentShare && l.budget.used.Load() > l.budget.limit {
		l.drop(l.oldest)
	}
}

// drop forgets m's content, if it is cached.
func (l *cache) drop(m *message) {
	if m.content == nil {
		return
	}
	l.add(-m.content.size - contentOverhead)
	if m.older != nil {
		m.older.newer = m.newer
	} else {
		l.oldest = m.newer
	}
	if m.newer != nil {
		m.newer.older = m.older
	} else {
		l.newest = m.older
	}
	m.content, m.older, m.newer = nil, nil, nil
}

func (l *cache) add(size int) {
	l.used += int64(size)
	l.budget.used.Add(int64(size))
}
