package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/efferent/efferent/cmd/efferent/ownqueues"
	"github.com/efferent/efferent/cmd/efferent/reach"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/settings"
)

// leastVisibility is how long a received message must stay hidden at least: a
// batch may take 30 s, and what it writes and deletes at its end some seconds
// more, with their second and third tries.
const leastVisibility = 60 * time.Second

// queueFault is why a queue can't be worked on.
type queueFault struct {
	reason string
	// mend is the attribute that queues create --update gives it; empty where
	// making the queue is enough.
	mend string
}

// unfitError says what is wrong with queues that were looked at.
type unfitError struct {
	faults []queueFault
	names  []string // the queue of each fault
	flags  *reach.QueueFlags
}

func (e *unfitError) add(name string, faults ...queueFault) {
	for _, f := range faults {
		e.faults, e.names = append(e.faults, f), append(e.names, name)
	}
}

// reason is what is wrong, in one line.
func (e *unfitError) reason() string {
	var all []string
	for _, f := range e.faults {
		all = append(all, f.reason)
	}
	return strings.Join(all, "; ")
}

// mend is the command that puts it right.
func (e *unfitError) mend() string {
	var attributes []string
	for _, f := range e.faults {
		if f.mend != "" && !slices.Contains(attributes, f.mend) {
			attributes = append(attributes, f.mend)
		}
	}
	if len(attributes) == 0 {
		return e.flags.Again("queues create", "")
	}
	return e.flags.Again("queues create", "--update "+strings.Join(attributes, ","))
}

func (e *unfitError) Error() string {
	text := "these queues can't be worked on as they are:\n"
	for i, f := range e.faults {
		text += fmt.Sprintf("  %s: %s\n", e.names[i], f.reason)
	}
	return text + "This mends it:\n  " + e.mend()
}

// missing is the fault of a queue that is not there.
var missing = queueFault{reason: "does not exist, or may not be seen (sqs:GetQueueUrl)"}

// workable is a queue that may be worked on.
type workable struct {
	ownqueues.State
	receives int
	// warnings are what an operator should know, and may mean.
	warnings []string
}

// queueCheck looks whether queues may be worked on.
type queueCheck struct {
	api   ownqueues.LookAPI
	flags *reach.QueueFlags
}

// all looks at the queues that are to be worked on, and at those that only must be
// there. It tells all that is wrong at once.
func (c *queueCheck) all(ctx context.Context, work, there []string) (map[string]workable, error) {
	found, unfit := map[string]workable{}, &unfitError{flags: c.flags}
	for _, name := range slices.Concat(work, there) {
		w, err := c.look(ctx, name, slices.Contains(work, name))
		var bad *unfitError
		if err != nil && !errors.As(err, &bad) {
			return nil, err
		}
		if bad != nil {
			unfit.add(c.flags.Prefix+name, bad.faults...)
			continue
		}
		found[name] = w
	}
	if len(unfit.faults) > 0 {
		return nil, unfit
	}
	return found, nil
}

// look reads one queue. An *unfitError says why it can't be worked on, any other
// error that it could not be looked at.
func (c *queueCheck) look(ctx context.Context, name string, work bool) (w workable, err error) {
	unfit := &unfitError{flags: c.flags}
	q, err := ownqueues.Read(ctx, c.api, c.flags.Prefix+name)
	if err != nil {
		return w, err
	}
	if q == nil {
		unfit.add(name, missing)
		return w, unfit
	}
	w.State = *q
	unfit.add(name, kind(q)...)
	if work {
		unfit.add(name, hidesLong(q)...)
		fault, err := c.redrives(ctx, &w)
		if err != nil {
			return w, err
		}
		if fault != "" {
			unfit.add(name, queueFault{fault, ownqueues.RedrivePolicy})
		}
	}
	if len(unfit.faults) > 0 {
		return w, unfit
	}
	return w, nil
}

// kind: an emulator may have a standard queue of a FIFO queue's name.
func kind(q *ownqueues.State) []queueFault {
	if isFIFO(q.Name) && !strings.EqualFold(q.Attributes[ownqueues.FifoQueue], "true") {
		return []queueFault{{reason: "is no FIFO queue, and can't become one: delete it first"}}
	}
	return nil
}

// hidesLong: who is received again while he is sent is sent twice.
func hidesLong(q *ownqueues.State) []queueFault {
	seconds, err := strconv.Atoi(q.Attributes[ownqueues.Visibility])
	if err != nil || time.Duration(seconds)*time.Second >= leastVisibility {
		return nil
	}
	return []queueFault{{fmt.Sprintf("%s is %d s, and a batch may take 30 s: %.0f s at least", ownqueues.Visibility, seconds,
		leastVisibility.Seconds()),
		ownqueues.Visibility}}
}

// redrives says after how many receives SQS moves a message to the dead-letter
// queue, or why it does not do so as it should. Without that, what can't be
// delivered is received again for ever, as fast as it can be asked for.
func (c *queueCheck) redrives(ctx context.Context, w *workable) (fault string, err error) {
	if w.Attributes[ownqueues.RedrivePolicy] == "" {
		return "has no redrive policy: what can't be delivered would be received for ever", nil
	}
	p, err := awssqs.ParseRedrive(w.Attributes[ownqueues.RedrivePolicy])
	switch {
	case err != nil:
		return "has a redrive policy that can't be read", nil
	case p.Target == w.ARN():
		return "is its own dead-letter queue", nil
	case c.workedOn(ownqueues.NameInARN(p.Target)):
		return fmt.Sprintf("its dead letters go to %s, which is worked on itself", ownqueues.NameInARN(p.Target)), nil
	case p.Receives < settings.LeastReceives:
		return fmt.Sprintf("its maxReceiveCount is %d: %d at least", p.Receives, settings.LeastReceives), nil
	}
	dead, err := ownqueues.Read(ctx, c.api, ownqueues.NameInARN(p.Target))
	switch {
	case err != nil:
		return "", err
	case dead == nil:
		return fmt.Sprintf("its dead-letter queue %s does not exist, or may not be seen", ownqueues.NameInARN(p.Target)), nil
	case dead.ARN() != p.Target:
		return fmt.Sprintf("its dead letters go to a queue %s of another region or account", dead.Name), nil
	case isFIFO(w.Name) != isFIFO(dead.Name):
		return fmt.Sprintf("its dead-letter queue %s is of the other kind (FIFO)", dead.Name), nil
	}
	w.receives, w.warnings = p.Receives, c.warnings(&w.State, dead)
	return "", nil
}

func isFIFO(name string) bool { return strings.HasSuffix(name, ".fifo") }

// workedOn reports whether a queue is one of those that handlers have.
func (c *queueCheck) workedOn(name string) bool {
	return slices.ContainsFunc(ownqueues.Pairs(0), func(p ownqueues.Pair) bool { return name == c.flags.Prefix+p.Name })
}

// warnings are about a queue and its dead-letter queue.
func (c *queueCheck) warnings(q, dead *ownqueues.State) (all []string) {
	if seconds(dead, ownqueues.Retention) < seconds(q, ownqueues.Retention) {
		all = append(all, fmt.Sprintf("%s keeps messages for %d s and %s for %d s: a dead letter keeps its age, and may be gone unseen",
			dead.Name, seconds(dead, ownqueues.Retention), q.Name, seconds(q, ownqueues.Retention)))
	}
	for _, p := range ownqueues.Pairs(0) {
		if q.Name == c.flags.Prefix+p.Name && dead.Name != c.flags.Prefix+p.Failures {
			all = append(all, fmt.Sprintf("dead letters of %s go to %s: the API and efferent dlq look in %s",
				q.Name, dead.Name, c.flags.Prefix+p.Failures))
		}
	}
	if isFIFO(q.Name) && q.Attributes[ownqueues.FifoThroughput] != "" && q.Attributes[ownqueues.FifoThroughput] != "perMessageGroupId" {
		all = append(all, q.Name+" takes 300 sends a second in all; with FifoThroughputLimit perMessageGroupId it takes as many of each lane")
	}
	return all
}

// seconds is an attribute that counts them; 0 where it is not told.
func seconds(q *ownqueues.State, name string) int {
	n, _ := strconv.Atoi(q.Attributes[name])
	return n
}
