package sqsserver

// deadLetterQueue is where q's redrive policy sends messages, and after how
// many receives; nil when it has none or its target is gone. A queue that is
// its own, which AWS lets be (LocalStack's test_set_empty_redrive_policy,
// recorded on AWS), keeps its messages.
func (e *Engine) deadLetterQueue(q *queue) (dlq *queue, maxReceives int32) {
	policy := q.config.Load().redrive
	if policy == nil {
		return nil, 0
	}
	if dlq = e.byARN(policy.DeadLetterTargetArn); dlq == q {
		return nil, 0
	}
	return dlq, int32(*policy.MaxReceiveCount)
}

// deadLetter is what m becomes in dlq. It keeps its id, contents and receive
// count; a standard queue's also keeps the time it was sent at, from which
// its retention counts on ("Using dead-letter queues in Amazon SQS"). A FIFO
// queue's gets its id as its deduplication id.
func (e *Engine) deadLetter(m *message, q, dlq *queue, now int64) MessageRecord {
	r := m.record(dlq.id)
	r.Seq, r.Source, r.ReceivedBefore = e.nextKey(), q.arn, m.received
	r.VisibleAt, r.Leased = now, false
	if q.fifo {
		// "Learn how to configure a dead-letter queue redrive in Amazon SQS"
		r.Sent, r.Dedup = now, formatID(m.id)
	}
	return r
}

// transfer carries messages that are moving, and whose move is in the store,
// to another queue.
func (e *Engine) transfer(from, to *queue, messages []*message, records []MessageRecord) {
	if len(messages) == 0 {
		return
	}
	contents := make([]*content, len(messages))
	from.mu.Lock()
	for i, m := range messages {
		contents[i] = m.content
		from.disown(m)
	}
	from.wake(e.clock)
	from.mu.Unlock()
	to.mu.Lock()
	defer to.mu.Unlock()
	for i, m := range messages {
		m.assume(records[i])
		to.adopt(m, records[i].Group, ready)
		if contents[i] != nil {
			to.cache.keep(m, contents[i])
		}
		to.shelve(m)
	}
	to.wake(e.clock)
}
