package conformance

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// check is one thing that an endpoint does as AWS documents it.
type check struct {
	name string // area/what, without spaces
	page string // the title of the AWS page, or the recorded test, that it rests on
	// passes is the time that the check lets pass, in all.
	passes time.Duration
	// inFlight, unless 0, is the endpoint's limit of messages in flight that
	// the check needs. Only our own can be told.
	inFlight int
	run      func(*C)
}

var checks = slices.Concat(createChecks, createRedriveChecks, rangeChecks, listChecks, attributeChecks, deleteQueueChecks,
	tagChecks, sendChecks, messageAttributeChecks, batchChecks, batchErrorChecks, delayChecks, receiveChecks,
	systemAttributeChecks, pollChecks, visibilityChecks, handleChecks, deleteChecks, retentionChecks, redriveChecks,
	allowChecks, moveChecks, moveTaskChecks, fifoChecks, fifoLockChecks, dedupChecks, attemptChecks, fifoRedriveChecks,
	fairChecks, limitChecks, recordedChecks)

// api is the title of an operation's page.
func api(operation string) string { return "Amazon SQS API Reference: " + operation }

// C is one run of a check, with a client of the endpoint. Its methods end the
// check when something fails.
type C struct {
	*sqs.Client
	ctx      context.Context
	endpoint *endpoint
	check    *check
	passed   time.Duration
	failure  string
	at       any      // what a check of several things is at
	created  []string // URLs
}

// execute runs the check and gives what failed, or nothing.
func (c *C) execute() string {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				c.failure = fmt.Sprintf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		c.check.run(c)
		if c.passed != c.check.passes {
			c.failf("the check says that it lets %v pass, and let %v", c.check.passes, c.passed)
		}
	}()
	<-done
	return c.failure
}

func (c *C) failf(format string, args ...any) {
	_, file, line, _ := runtime.Caller(1)
	for skip := 2; isHelper(file); skip++ {
		_, file, line, _ = runtime.Caller(skip)
	}
	c.failure = fmt.Sprintf("%s:%d: ", base(file), line) + fmt.Sprintf(format, args...)
	if c.at != nil {
		c.failure += fmt.Sprintf(" (at %.80q)", fmt.Sprint(c.at))
	}
	runtime.Goexit()
}

// pass lets time pass. A real endpoint takes it by itself: what follows must
// wait for an answer.
func (c *C) pass(d time.Duration) {
	c.passed += d
	if c.endpoint.clock != nil {
		c.endpoint.clock.Advance(d)
	}
}

// now is the endpoint's time.
func (c *C) now() time.Time {
	if c.endpoint.clock != nil {
		return c.endpoint.clock.Now()
	}
	return time.Now()
}

// timers waits until something on our endpoint waits for n times to come, so
// that letting them pass has its effect.
func (c *C) timers(n int) {
	if c.endpoint.clock != nil {
		c.must(c.endpoint.clock.BlockUntilContext(c.ctx, n))
	}
}

// until asks done again and again, until it is true.
func (c *C) until(what string, done func() bool) {
	idle := ""
	for !done() {
		if c.ctx.Err() != nil {
			c.failf("in vain waited until %s", what)
		}
		if c.endpoint.clock != nil {
			continue
		}
		if idle == "" {
			idle = c.queue(nil)
		}
		_, err := c.lookFor(idle, 1)
		c.must(err)
	}
}
