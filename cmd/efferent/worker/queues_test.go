package worker

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/ownqueues"
	"github.com/efferent/efferent/cmd/efferent/reach"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/settings"
)

// ownEndpoint is an SQS with the eight queues behind a prefix, to be spoilt.
func ownEndpoint(t *testing.T, prefix string) *sqsserver.Engine {
	t.Helper()
	_, engine := commandtest.MemoryEngine(t)
	m := ownqueues.Maker{API: engine, Prefix: prefix, Receives: 6, Settle: func(context.Context) {}}
	if _, err := m.All(t.Context()); err != nil {
		t.Fatal(err)
	}
	return engine
}

func urlOf(t *testing.T, api ownqueues.LookAPI, name string) *string {
	t.Helper()
	out, err := api.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		t.Fatal(err)
	}
	return out.QueueUrl
}

func setAttributes(t *testing.T, engine *sqsserver.Engine, name string, set map[string]string) {
	t.Helper()
	in := &sqs.SetQueueAttributesInput{QueueUrl: urlOf(t, engine, name), Attributes: set}
	if _, err := engine.SetQueueAttributes(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

func deleteQueues(t *testing.T, engine *sqsserver.Engine, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := engine.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: urlOf(t, engine, name)}); err != nil {
			t.Fatal(err)
		}
	}
}

// as answers for an emulator that has queues which SQS would not have.
type as struct {
	ownqueues.LookAPI
	queue      string
	attributes map[string]string
}

func (a as) GetQueueAttributes(ctx context.Context, in *sqs.GetQueueAttributesInput, o ...func(*sqs.Options)) (
	*sqs.GetQueueAttributesOutput, error) {
	out, err := a.LookAPI.GetQueueAttributes(ctx, in, o...)
	if err == nil && strings.HasSuffix(*in.QueueUrl, "/"+a.queue) {
		for name, value := range a.attributes {
			out.Attributes[name] = value
		}
	}
	return out, err
}

// to is a redrive policy.
func to(arn string, receives int) map[string]string {
	return map[string]string{ownqueues.RedrivePolicy: awssqs.Redrive{Target: arn, Receives: receives}.String()}
}

const anywhere = "arn:aws:sqs:us-east-1:000000000000:"

// TestQueuesThatCantBeWorkedOn are refused with all that is wrong with them, and
// the command that mends it.
func TestQueuesThatCantBeWorkedOn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		spoil func(*testing.T, *sqsserver.Engine) ownqueues.LookAPI
		says  []string
		mend  string
	}{
		{"all missing", func(t *testing.T, e *sqsserver.Engine) ownqueues.LookAPI {
			deleteQueues(t, e, "p-webhooks", "p-audit.fifo")
			return e
		}, []string{"p-webhooks: does not exist", "p-audit.fifo: does not exist"}, "queues create --prefix p-"},
		{"no policy", func(t *testing.T, e *sqsserver.Engine) ownqueues.LookAPI {
			setAttributes(t, e, "p-webhooks", map[string]string{ownqueues.RedrivePolicy: ""})
			return e
		}, []string{"p-webhooks: has no redrive policy"}, "queues create --prefix p- --update RedrivePolicy"},
		{"no dead-letter queue", func(t *testing.T, e *sqsserver.Engine) ownqueues.LookAPI {
			deleteQueues(t, e, "p-webhook-failures")
			return e
		}, []string{"dead-letter queue p-webhook-failures does not exist"}, "--update RedrivePolicy"},
		{"its own", func(t *testing.T, e *sqsserver.Engine) ownqueues.LookAPI {
			setAttributes(t, e, "p-webhooks", to(anywhere+"p-webhooks", 6))
			return e
		}, []string{"is its own dead-letter queue"}, "--update RedrivePolicy"},
		{"in a circle", func(t *testing.T, e *sqsserver.Engine) ownqueues.LookAPI {
			setAttributes(t, e, "p-webhooks", to(anywhere+"p-notifications", 6))
			return e
		}, []string{"go to p-notifications, which is worked on itself"}, "--update RedrivePolicy"},
		{"one receive", func(t *testing.T, e *sqsserver.Engine) ownqueues.LookAPI {
			setAttributes(t, e, "p-webhooks", to(anywhere+"p-webhook-failures", 1))
			return e
		}, []string{"maxReceiveCount is 1: 2 at least"}, "--update RedrivePolicy"},
		{"SQS's own visibility timeout, and no policy", func(t *testing.T, e *sqsserver.Engine) ownqueues.LookAPI {
			setAttributes(t, e, "p-webhooks", map[string]string{ownqueues.Visibility: "30", ownqueues.RedrivePolicy: ""})
			return e
		}, []string{"VisibilityTimeout is 30 s", "no redrive policy"}, "--update VisibilityTimeout,RedrivePolicy"},
		{"no FIFO queue", func(_ *testing.T, e *sqsserver.Engine) ownqueues.LookAPI {
			return as{e, "p-audit.fifo", map[string]string{ownqueues.FifoQueue: ""}}
		}, []string{"p-audit.fifo: is no FIFO queue"}, "queues create"},
		{"of another region", func(_ *testing.T, e *sqsserver.Engine) ownqueues.LookAPI {
			return as{e, "p-webhooks", to("arn:aws:sqs:eu-north-1:1:p-webhook-failures", 6)}
		}, []string{"of another region or account"}, "--update RedrivePolicy"},
		{"of the other kind", func(_ *testing.T, e *sqsserver.Engine) ownqueues.LookAPI {
			return as{e, "p-webhooks", to(anywhere+"p-audit-failures.fifo", 6)}
		}, []string{"of the other kind"}, "--update RedrivePolicy"},
		{"garbage", func(_ *testing.T, e *sqsserver.Engine) ownqueues.LookAPI {
			return as{e, "p-webhooks", map[string]string{ownqueues.RedrivePolicy: "{}"}}
		}, []string{"can't be read"}, "--update RedrivePolicy"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			check := &queueCheck{c.spoil(t, ownEndpoint(t, "p-")), &reach.QueueFlags{Prefix: "p-"}}
			_, err := check.all(t.Context(), []string{"webhooks", "notifications"}, []string{"audit.fifo"})
			var unfit *unfitError
			if !errors.As(err, &unfit) {
				t.Fatalf("got %v", err)
			}
			for _, want := range append(c.says, c.mend) {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("it does not tell %q:\n%v", want, err)
				}
			}
			if strings.Contains(unfit.reason(), "arn:") {
				t.Errorf("the reason that everybody may see is %s", unfit.reason())
			}
		})
	}
}

// TestWhatAQueueIsWorkedOnBy: its own maxReceiveCount, in quotes too, and what an
// operator should know.
func TestWhatAQueueIsWorkedOnBy(t *testing.T) {
	t.Parallel()
	engine := ownEndpoint(t, "")
	mine := "mine"
	if _, err := engine.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &mine}); err != nil {
		t.Fatal(err)
	}
	setAttributes(t, engine, "notifications", to(anywhere+mine, 9))
	setAttributes(t, engine, "audit.fifo", map[string]string{ownqueues.FifoThroughput: "perQueue"})
	quoted := as{engine, "webhooks", map[string]string{
		ownqueues.RedrivePolicy: fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":"20"}`, anywhere+"webhook-failures")}}
	found, err := (&queueCheck{quoted, &reach.QueueFlags{}}).all(t.Context(), []string{"webhooks", "notifications", "audit.fifo"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, receives := range map[string]int{"webhooks": 20, "notifications": 9, "audit.fifo": settings.AuditMaxReceives} {
		if q := found[name]; q.receives != receives || q.ARN() != anywhere+name {
			t.Errorf("%s: %+v", name, found[name])
		}
	}
	all := fmt.Sprint(found["webhooks"].warnings, found["notifications"].warnings, found["audit.fifo"].warnings)
	for _, want := range []string{"[] [mine keeps messages for 345600 s", "efferent dlq look in notification-failures", "300 sends"} {
		if !strings.Contains(all, want) {
			t.Errorf("it does not warn of %q: %s", want, all)
		}
	}
}

// denied may not look.
type denied struct{ ownqueues.LookAPI }

func (denied) GetQueueUrl(context.Context, *sqs.GetQueueUrlInput, ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	return nil, errors.New("AccessDenied")
}

// TestQueuesThatMayNotBeSeen are not said to be missing.
func TestQueuesThatMayNotBeSeen(t *testing.T) {
	t.Parallel()
	_, err := (&queueCheck{denied{}, &reach.QueueFlags{}}).all(t.Context(), []string{"webhooks"}, nil)
	var unfit *unfitError
	if err == nil || errors.As(err, &unfit) || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("got %v", err)
	}
}

// TestWhatAWorkerNeeds beside the queues that it works on.
func TestWhatAWorkerNeeds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ queues, http, want string }{
		{"webhooks,notifications", "", "audit.fifo,events"},
		{"webhooks", "", "audit.fifo,notifications,events"},
		{"audit.fifo", "", ""},
		{"webhooks,notifications", "127.0.0.1:0", "webhook-failures,notification-failures,events,event-failures,audit.fifo,audit-failures.fifo"},
	} {
		w := &worker{Command: &Command{Queues: strings.Split(c.queues, ","), workerHTTP: workerHTTP{HTTP: c.http}}}
		if got := w.needed(); !slices.Equal(got, strings.FieldsFunc(c.want, func(r rune) bool { return r == ',' })) {
			t.Errorf("%s %s: %v", c.queues, c.http, got)
		}
	}
}

// TestAnotherEndpointIsNamedInTheCommand that mends a queue.
func TestAnotherEndpointIsNamedInTheCommand(t *testing.T) {
	t.Parallel()
	f := reach.QueueFlags{AWSFlags: reach.AWSFlags{EndpointURL: "http://localhost:9324"}, Prefix: "p-"}
	if got := f.Again("queues create", ""); got != "efferent queues create --endpoint-url http://localhost:9324 --prefix p-" {
		t.Error(got)
	}
	f = reach.QueueFlags{AWSFlags: reach.AWSFlags{Dev: true}}
	if got := f.Again("queues create", "--update all"); got != "efferent queues create --dev --update all" {
		t.Error(got)
	}
}
