package sqsserver

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// DeleteQueue deletes a queue with its messages. Receives that wait on it end
// with types.QueueDoesNotExist.
//
// AWS takes up to 60 seconds for it and refuses a new queue of the same name
// as long (QueueDeletedRecently). Here it is done when DeleteQueue returns, and
// the name is free at once: tests that make and delete their queues would
// otherwise each wait for a minute.
//
// One of Options.Own is there again at once, empty and with its attributes. Who
// looks after it need not notice.
func (e *Engine) DeleteQueue(ctx context.Context, in *sqs.DeleteQueueInput, _ ...func(*sqs.Options)) (*sqs.DeleteQueueOutput, error) {
	e.admin.Lock()
	defer e.admin.Unlock()
	q, err := e.at(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	own := slices.Contains(e.own, q.key)
	if own {
		err = e.empty(ctx, q, e.now())
	} else {
		err = e.remove(ctx, q)
	}
	if err != nil {
		return nil, internalFailure("The queue was not deleted", err)
	}
	if own {
		e.log.Warn("one of Efferent's own queues was deleted; it was made again at once, without its messages", "queue", q.name)
	}
	return &sqs.DeleteQueueOutput{}, nil
}

const (
	// purgeInterval is how often a queue can be purged ("PurgeQueue" in the
	// API reference). A restart forgets the last purge.
	purgeInterval = time.Minute
	// purgeBatch is how many messages one write of a purge deletes.
	purgeBatch = 1000
)

// PurgeQueue deletes the messages that a queue has, delayed ones and those in
// flight too, and forgets their deduplication ids (LocalStack's
// test_purge_queue_clears_fifo_deduplication_cache, recorded on AWS). What is
// being sent or moved meanwhile may stay. When it fails, some are deleted, and
// it can be repeated at once.
func (e *Engine) PurgeQueue(ctx context.Context, in *sqs.PurgeQueueInput, _ ...func(*sqs.Options)) (*sqs.PurgeQueueOutput, error) {
	q, err := e.at(ctx, in.QueueUrl)
	if err != nil {
		return nil, err
	}
	now := e.now()
	if !q.mayPurge(now) {
		return nil, purgeInProgress(q.name)
	}
	if err := e.empty(ctx, q, now); err != nil {
		q.notPurged(now)
		return nil, internalFailure("Not all messages were deleted", err)
	}
	return &sqs.PurgeQueueOutput{}, nil
}

// mayPurge notes a purge, unless the last one is too recent.
func (q *queue) mayPurge(now int64) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.purged != 0 && now < q.purged+purgeInterval.Milliseconds() {
		return false
	}
	q.purged = now
	return true
}

// empty deletes all messages, and forgets their deduplication ids.
func (e *Engine) empty(ctx context.Context, q *queue, now int64) (err error) {
	messages, shelved, forget := q.condemn(now)
	if forget.Queue != 0 {
		if err = e.apply(ctx, &Changes{ForgetDedups: forget}); err != nil {
			q.notForgotten()
		}
	}
	for batch := range slices.Chunk(messages, purgeBatch) {
		keys := make([]int64, len(batch))
		for i, m := range batch {
			keys[i] = m.key
		}
		if err == nil {
			err = e.apply(ctx, &Changes{Deletes: keys})
		}
		q.endDeletes(e, keys, batch, err)
	}
	for i := range shelved {
		if err == nil {
			err = e.purgeShelf(ctx, &shelved[i])
		}
		q.shelveAgain(shelved[i])
	}
	return err
}

// condemn takes all messages out of reach, to be deleted, and says which
// deduplication records the store may forget.
func (q *queue) condemn(now int64) (messages []*message, shelved []condemned, forget DedupRecord) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.advance(now)
	q.dedups.clear()
	for _, m := range q.messages {
		if m.state == ready || m.state == delayed || m.state == inFlight {
			m.before = m.state
			q.become(m, deleting)
			messages = append(messages, m)
		}
	}
	return messages, q.condemnShelves(), q.dedups.forget(q.id)
}

// notForgotten lets the next write try again.
func (q *queue) notForgotten() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dedups.forgotten += forgetAfter
}

// notPurged lets a purge that began at this time and failed be repeated.
func (q *queue) notPurged(began int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.purged == began {
		q.purged = 0
	}
}
