package sqsserver

import (
	"context"
	"time"
)

// maxVisibility is the longest that a message can be in flight after one
// receive ("Amazon SQS visibility timeout").
const maxVisibility = 12 * time.Hour

// deleteAll deletes the messages that the handles name. failures has an error
// in the place of each handle that is no good.
//
// A message that is gone, or was received again since, is left alone, and
// that is no error ("DeleteMessage" in the API reference).
func (e *Engine) deleteAll(ctx context.Context, q *queue, handles []string) (failures []error) {
	failures = make([]error, len(handles))
	var ours []*message // those that no other delete is at work on
	changes := &Changes{}
	now := e.now()
	q.mu.Lock()
	q.advance(now)
	for i, handle := range handles {
		m, err := q.held(handle)
		switch {
		case err != nil:
			failures[i] = err
		case m == nil || m.state == moving:
		case q.fifo && m.state == ready:
			failures[i] = invalidValue("ReceiptHandle", handle, "The receipt handle has expired.")
		default:
			if m.state != deleting {
				m.before = m.state
				q.become(m, deleting)
				ours = append(ours, m)
			}
			changes.Deletes = append(changes.Deletes, m.key)
		}
	}
	q.mu.Unlock()
	if len(changes.Deletes) == 0 {
		return failures
	}
	err := e.apply(ctx, changes)
	q.endDeletes(e, changes.Deletes, ours, err)
	if err != nil {
		for i := range failures {
			if failures[i] == nil {
				failures[i] = internalFailure("The message was not deleted", err)
			}
		}
	}
	return failures
}

// endDeletes drops the messages that were deleted, or puts back those that
// were not.
func (q *queue) endDeletes(e *Engine, keys []int64, ours []*message, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err == nil {
		for _, key := range keys {
			if m := q.messages[key]; m != nil {
				q.disown(m)
			}
		}
	} else {
		for _, m := range ours {
			if q.messages[m.key] == m && m.state == deleting {
				q.become(m, m.before)
			}
		}
	}
	q.advance(e.now())
	q.wake(e.clock)
}

// held is the message that a handle names; nil when it is gone or was
// received again since.
func (q *queue) held(handle string) (*message, error) {
	m, current, err := q.received(handle)
	if !current {
		return nil, err
	}
	return m, nil
}

// received is the message that a handle names, nil when it is gone, and
// whether the handle is that of its last receive.
func (q *queue) received(handle string) (m *message, current bool, err error) {
	r, ok := parseReceipt(handle, q.id)
	if !ok {
		return nil, false, receiptHandleIsInvalid(handle)
	}
	m = q.messages[r.key]
	if m == nil || m.id != r.id || m.state == pending || m.state == delayed {
		return nil, false, nil
	}
	return m, m.received == r.received, nil
}

// visibilityChange is one message to make visible after a time.
type visibilityChange struct {
	handle  string
	timeout int32 // seconds

	m        *message // nil when there is nothing to change
	received int32
	at       int64
	leased   bool
	// hidden: it was visible, and is not while the change is written.
	hidden bool
}

// changeAll makes messages visible when the changes say, counted from now.
// failures has an error in the place of each that can't be.
func (e *Engine) changeAll(ctx context.Context, q *queue, list []visibilityChange) (failures []error) {
	failures = make([]error, len(list))
	changes := &Changes{}
	now := e.clock.Now()
	q.mu.Lock()
	q.advance(now.UnixMilli())
	for i := range list {
		c := &list[i]
		if failures[i] = c.check(q, now); failures[i] == nil && c.m != nil && !c.gives(now) {
			changes.SetStates = append(changes.SetStates, c.stateRecord())
		}
	}
	q.mu.Unlock()
	var err error
	if len(changes.SetStates) > 0 {
		err = e.apply(ctx, changes)
	}
	if err == nil {
		q.endChanges(e, list)
		return failures
	}
	q.undoChanges(e, list)
	for i := range failures {
		if failures[i] == nil {
			failures[i] = internalFailure("The visibility was not changed", err)
		}
	}
	return failures
}

// check finds c's message and time. On a standard queue any handle of the
// message will do, also once it is visible again (recorded by LocalStack's
// snapshot of test_change_message_visibility_after_visibility_timeout_expiration,
// and by its test_terminate_visibility_timeout_after_receive).
func (c *visibilityChange) check(q *queue, now time.Time) error {
	m, current, err := q.received(c.handle)
	switch {
	case err != nil:
		return err
	case c.timeout < 0 || time.Duration(c.timeout)*time.Second > maxVisibility:
		return invalidValue("VisibilityTimeout", c.timeout, "Must be between 0 and 43200, if provided.")
	case m == nil || q.fifo && !current || m.state == deleting || m.state == moving:
		return invalidValue("ReceiptHandle", c.handle,
			"Message does not exist or is not available for visibility timeout change.")
	case q.fifo && m.state != inFlight:
		return messageNotInflight()
	}
	timeout := time.Duration(c.timeout) * time.Second
	if now.Add(timeout).UnixMilli()-m.lastReceived > maxVisibility.Milliseconds() {
		return invalidValue("VisibilityTimeout", c.timeout,
			"Total VisibilityTimeout for the message is beyond the limit [43200 seconds].")
	}
	if m.state == ready && timeout == 0 {
		return nil
	}
	c.m, c.received, c.at = m, m.received, end(now, timeout)
	if m.state == ready {
		m.visibleAt, c.hidden = c.at, true
		q.become(m, inFlight)
	}
	return nil
}

// gives reports whether the change makes visible at once what is leased. That need
// not be written: so does the next Open.
func (c *visibilityChange) gives(now time.Time) bool { return c.m.leased && c.at <= now.UnixMilli() }

func (c *visibilityChange) stateRecord() StateRecord {
	r := c.m.stateRecord()
	r.VisibleAt, r.Leased = c.at, c.leased
	return r
}

// endChanges does in memory what is in the store by now.
func (q *queue) endChanges(e *Engine, list []visibilityChange) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range list {
		if m := c.m; c.holds(q) {
			m.visibleAt, m.leased = c.at, c.leased
			q.become(m, inFlight)
		}
	}
	q.advance(e.now())
	q.wake(e.clock)
}

// undoChanges makes visible again what was hidden for changes that could not
// be written.
func (q *queue) undoChanges(e *Engine, list []visibilityChange) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range list {
		if c.hidden && c.holds(q) && c.m.visibleAt == c.at {
			q.become(c.m, ready)
		}
	}
	q.wake(e.clock)
}

// holds reports whether c's message is in flight still, by the receive that it
// was when c was checked.
func (c *visibilityChange) holds(q *queue) bool {
	m := c.m
	return m != nil && q.messages[m.key] == m && m.state == inFlight && m.received == c.received
}
