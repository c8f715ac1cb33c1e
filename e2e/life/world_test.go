package life

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jonboulle/clockwork"

	"github.com/efferent/efferent/internal/circuit"
	"github.com/efferent/efferent/internal/deadletter"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/waiting"
)

// settingsOf are what differs between worlds. The zero value is the defaults.
type settingsOf struct {
	maxReceives   int
	policies      string // as in EFFERENT_RETRY_POLICIES
	inFlightLimit int
	// limits are when circuits open, mostHeld how long messages wait for them.
	limits   circuit.Limits
	mostHeld time.Duration
	// crowd is for too many messages to watch each record.
	crowd bool
	// sqlite has the queues in SQLite.
	sqlite bool
}

// world is a stack, and all that is around it.
type world struct {
	settingsOf
	clock    *clockwork.FakeClock
	db       *sqlite.DB
	calls    *calls
	queues   *queues
	stores   *stores
	internet *internet
	audit    *auditQueue
	// functions are what runs; exits is how many processes were started that let
	// messages out of the waiting room.
	functions functions
	exits     int

	mu sync.Mutex
	// wakes are when messages show again that were hidden.
	wakes []time.Time
	// nextRelease is when release runs next.
	nextRelease time.Time
	// twins: SQS handed out a message twice at the same time, so that an attempt
	// may have been made twice.
	twins bool
	// dead is how many dead letters there are of each message, by webhook-id, as
	// of the last look.
	dead map[string]int
	// many troubles in one life may use up a message's receives. loose is a life's.
	many, loose bool
	// named are the policies that messages name, and that of replays.
	named []string
	// sent are the ids of the messages that were produced.
	sent []string
	// inHand is what Lambda has received last, handedOut all that it ever has.
	inHand    []events.SQSMessage
	handedOut [][]events.SQSMessage
	problems  []string
}

var morning = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

const queueURL = "http://127.0.0.1/000000000000/"

func queueARN(name string) string { return "arn:aws:sqs:us-east-1:000000000000:" + name }

func newWorld(s settingsOf) (*world, error) {
	if s.maxReceives == 0 {
		s.maxReceives = settings.DefaultMaxReceives
	}
	if s.mostHeld == 0 {
		s.mostHeld = 6 * time.Hour
	}
	w := &world{settingsOf: s, clock: clockwork.NewFakeClockAt(morning), nextRelease: morning, named: []string{"replay"}}
	w.calls = &calls{now: w.clock.Now, count: map[string]int{}, faults: map[site]fault{}, during: map[site]func(){}}
	w.stores, w.audit = &stores{w: w, ids: map[string]bool{}, waits: map[string]waiting.Item{}}, &auditQueue{w: w}
	w.internet = &internet{w: w, endpoints: map[string]*endpoint{}, taken: map[string]bool{}}
	err := w.openQueues()
	for _, name := range []string{"deliver", "release", "api"} {
		if err == nil {
			err = w.renew(name)
		}
	}
	return w, err
}

func (w *world) openQueues() (err error) {
	store := sqsserver.Store(&memory{contents: map[int64]sqsserver.Content{}})
	if w.sqlite {
		if w.db, err = sqlite.Open(":memory:"); err != nil {
			return err
		}
		store = sqlite.NewQueues(w.db)
	}
	w.queues = &queues{w: w, moved: make(chan struct{}, 1)}
	w.queues.Engine, err = sqsserver.Open(context.Background(), engineStore{store, w.queues.moved},
		sqsserver.Options{Clock: w.clock, Logger: quiet, InFlightLimit: w.inFlightLimit})
	if err != nil {
		return err
	}
	return w.createQueues()
}

var quiet = slog.New(slog.DiscardHandler)

func (w *world) close() error {
	if err := w.queues.Engine.Close(); err != nil {
		return err
	}
	if w.db == nil {
		return nil
	}
	return w.db.Close()
}

func (w *world) createQueues() error {
	redrive := `{"deadLetterTargetArn":"` + queueARN(deadletter.WebhookFailures) + `","maxReceiveCount":` + strconv.Itoa(w.maxReceives) + `}`
	for _, q := range []struct{ name, redrive string }{{deadletter.WebhookFailures, ""}, {settings.WebhooksQueue, redrive}} {
		attributes := map[string]string{"MessageRetentionPeriod": "1209600", "VisibilityTimeout": "180"}
		if q.redrive != "" {
			attributes["RedrivePolicy"] = q.redrive
		}
		if _, err := w.queues.CreateQueue(context.Background(), &sqs.CreateQueueInput{QueueName: &q.name, Attributes: attributes}); err != nil {
			return err
		}
	}
	return nil
}

// complain notes what must not be.
func (w *world) complain(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// wakeIn notes that messages may show after d.
func (w *world) wakeIn(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wakes = append(w.wakes, w.clock.Now().Add(d))
}
