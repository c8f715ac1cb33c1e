package schemas_test

import (
	"bytes"
	"errors"
	"flag"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/event"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/webhook"
	"github.com/efferent/efferent/schemas"
)

var messages = flag.Int("messages", 20_000, "how many made-up messages of each kind are read by schema and reader")

// contract is a schema beside the reader that it must agree with.
type contract struct {
	schema *jsonschema.Schema
	read   func([]byte) error
	kind   *kind
}

func theContract(t testing.TB, name string, schema []byte, read func([]byte) error, k *kind) *contract {
	t.Helper()
	c := jsonschema.NewCompiler()
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AddResource(name, document); err != nil {
		t.Fatal(err)
	}
	compiled, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return &contract{compiled, read, k}
}

func webhooks(t testing.TB) *contract {
	return theContract(t, "webhook.schema.json", schemas.Webhook, func(b []byte) error {
		_, err := webhook.Decode(b)
		return err
	}, &webhookKind)
}

// registered are webhooks to registered endpoints.
func registered(t testing.TB) *contract {
	c := webhooks(t)
	c.kind = &registeredKind
	return c
}

func publishedEvents(t testing.TB) *contract {
	return theContract(t, "event.schema.json", schemas.Event, func(b []byte) error {
		_, err := event.Decode(b)
		return err
	}, &eventKind)
}

func notifications(t testing.TB) *contract {
	return theContract(t, "notification.schema.json", schemas.Notification, func(b []byte) error {
		_, err := channel.Decode(b)
		return err
	}, &notificationKind)
}

// lookedUp are notifications to those who are looked up.
func lookedUp(t testing.TB) *contract {
	c := notifications(t)
	c.kind = &lookedUpKind
	return c
}

// bySchema is the schema's verdict on a message. It is that of a usual parser of
// JSON: of a key that stands there twice it knows the last.
func (c *contract) bySchema(data []byte) error {
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return c.schema.Validate(value)
}

// compare reads a message by both. It returns the exception by which they may
// differ, "accepted" or "refused" where they agree, and a complaint where they
// may not differ so.
func (c *contract) compare(data []byte) (verdict, complaint string) {
	schema, reader := c.bySchema(data), c.read(data)
	switch {
	case schema == nil && reader == nil:
		return "accepted", ""
	case schema != nil && reader != nil:
		return "refused", ""
	case reader == nil:
		return "", "the reader takes it, and the schema says " + schema.Error()
	}
	var f *message.FieldError
	if !errors.As(reader, &f) {
		return "", "the reader's error is no *message.FieldError: " + reader.Error()
	}
	for _, e := range exceptions {
		if strings.Contains(f.Problem, e.problem) && e.holds(f, data) {
			return e.name, ""
		}
	}
	return "", "the schema takes it, and the reader says " + reader.Error()
}

// TestAgree has many messages read by the schema and by the reader.
func TestAgree(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*contract{"webhook": webhooks(t), "notification": notifications(t),
		"registered": registered(t), "event": publishedEvents(t), "lookedup": lookedUp(t), "templated": templated(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seen := c.many(t, *messages)
			t.Logf("%d messages: %v", *messages, seen)
			if share := seen["accepted"] * 100 / *messages; share < 10 || share > 80 {
				t.Errorf("%d %% of the messages are accepted: they show little", share)
			}
			for _, e := range exceptions {
				if seen[e.name] == 0 && (e.only == "" || strings.Contains(e.only, name)) {
					t.Errorf("no message shows the exception %q", e.name)
				}
			}
		})
	}
}

// many compares n messages, and counts the verdicts.
func (c *contract) many(t *testing.T, n int) map[string]int {
	seen := map[string]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		all.Go(func() {
			own := map[string]int{}
			for i := w; i < n && !t.Failed(); i += workers {
				data := c.kind.make(rand.New(rand.NewPCG(1042, uint64(i))))
				verdict, complaint := c.compare(data)
				if complaint != "" {
					t.Errorf("message %d: %s\n%s", i, complaint, message.Shorten(string(data), 4000))
				}
				own[verdict]++
			}
			mu.Lock()
			defer mu.Unlock()
			for verdict, n := range own {
				seen[verdict] += n
			}
		})
	}
	all.Wait()
	return seen
}

func FuzzWebhook(f *testing.F)      { fuzz(f, webhooks(f)) }
func FuzzNotification(f *testing.F) { fuzz(f, notifications(f)) }

func fuzz(f *testing.F, c *contract) {
	for _, seed := range c.kind.seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, complaint := c.compare(data); complaint != "" {
			t.Error(complaint)
		}
	})
}

// TestEveryPropertyIsExplained holds the schemas to what a reader of them wants of
// each property.
func TestEveryPropertyIsExplained(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*contract{"webhook": webhooks(t), "notification": notifications(t)} {
		for property, s := range c.schema.Properties {
			if s.Title == "" || s.Description == "" || len(s.Examples) == 0 {
				t.Errorf("%s: the property %q has no title, description or example", name, property)
			}
			for _, example := range s.Examples {
				if err := s.Validate(example); err != nil {
					t.Errorf("%s: an example of %q: %v", name, property, err)
				}
			}
		}
		if len(c.schema.Examples) == 0 {
			t.Errorf("%s: no example", name)
		}
		for _, example := range c.schema.Examples {
			if err := c.schema.Validate(example); err != nil {
				t.Errorf("%s: an example: %v", name, err)
			}
		}
	}
}
