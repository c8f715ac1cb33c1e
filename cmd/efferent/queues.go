package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/settings"
)

type queuesCommand struct {
	Create queuesCreateCommand `cmd:"" help:"Make the eight queues as a deployment does; those that are there stay as they are."`
}

type queuesCreateCommand struct {
	queueFlags
	MaxReceives int      `env:"EFFERENT_MAX_RECEIVES" default:"${max_receives}" help:"The maxReceiveCount of all but audit.fifo (${default})."`
	Update      []string `placeholder:"ATTRIBUTE" help:"${queues_update}"`
	JSON        bool     `name:"json" help:"Write JSON."`
}

// queuePrefix is what may stand before the longest of the names ("Amazon SQS
// message quotas": 80 characters).
var queuePrefix = regexp.MustCompile(`^[A-Za-z0-9_-]{0,59}$`)

// updatable are the attributes that --update may name.
var updatable = []string{"all", retention, visibility, encrypted, dedupScope, fifoThroughput, contentDedup, redrivePolicy, redriveAllow}

func (c *queuesCreateCommand) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return misused(err)
	}
	config, err := c.config(ctx)
	if err != nil {
		return err
	}
	m := queueMaker{api: sqs.NewFromConfig(config), prefix: c.Prefix, receives: c.MaxReceives, update: c.Update, settle: settle}
	made, err := m.all(ctx)
	if c.JSON {
		return errors.Join(json.MarshalWrite(os.Stdout, map[string]any{"queues": slices.Clip(made)},
			jsontext.WithIndent("  "), json.FormatNilSliceAsNull(false)), err)
	}
	c.print(os.Stdout, made)
	return err
}

func (c *queuesCreateCommand) check() error {
	if !queuePrefix.MatchString(c.Prefix) {
		return fmt.Errorf("--prefix %q: up to 59 letters, digits, hyphens and underscores", c.Prefix)
	}
	if c.MaxReceives < settings.LeastReceives || c.MaxReceives > settings.MostReceives {
		return fmt.Errorf("--max-receives %d: must be a number from %d to %d", c.MaxReceives, settings.LeastReceives, settings.MostReceives)
	}
	for _, name := range c.Update {
		if !slices.Contains(updatable, name) {
			return fmt.Errorf("--update %s: must be %s", name, strings.Join(updatable, ", "))
		}
	}
	return nil
}

// settle waits as long as AWS asks for before a new queue is used ("CreateQueue"
// in the API reference).
func settle(ctx context.Context) { pause(ctx, time.Second) }

// print says of each queue what became of it, and how others differ from a
// deployment's, in lines that fit 80 columns where the names do.
func (c *queuesCreateCommand) print(w io.Writer, made []queueMade) {
	for _, q := range made {
		what := "is there"
		if q.Made {
			what = "made"
		}
		if len(q.Untaken) > 0 {
			what += ", without " + strings.Join(q.Untaken, ", ") + ": not known here"
		}
		fmt.Fprintf(w, "%-*s  %s\n", len(c.Prefix)+len("notification-failures"), q.Name, what)
		for _, d := range q.Differences {
			is, deployed := "  %s is %s\n", "    and should be %s\n"
			if d.Changed {
				is, deployed = "  %s was %s\n", "    and is now %s\n"
			}
			fmt.Fprintf(w, is, d.Attribute, inWords(d.Is))
			fmt.Fprintf(w, deployed, inWords(d.Deployed))
		}
	}
	if left := unchanged(made); len(left) > 0 {
		fmt.Fprintf(w, "Of these nothing was changed. This changes it:\n  %s\n", c.updating(left))
	}
}

// unchanged are the attributes that differ still.
func unchanged(made []queueMade) (names []string) {
	for _, q := range made {
		for _, d := range q.Differences {
			if !d.Changed && !slices.Contains(names, d.Attribute) {
				names = append(names, d.Attribute)
			}
		}
	}
	return names
}

// updating is the command that changes attributes.
func (c *queuesCreateCommand) updating(names []string) string {
	rest := "--update " + strings.Join(names, ",")
	if c.MaxReceives != settings.DefaultMaxReceives && slices.Contains(names, redrivePolicy) {
		rest = fmt.Sprintf("--max-receives %d %s", c.MaxReceives, rest)
	}
	return c.again("queues create", rest)
}

// inWords is an attribute's value for people.
func inWords(value string) string {
	if value == "" {
		return "not set"
	}
	if r, err := awssqs.ParseRedrive(value); err == nil {
		return fmt.Sprintf("%d receives, then %s", r.Receives, nameInARN(r.Target))
	}
	var a allowance
	if json.Unmarshal([]byte(value), &a) == nil && len(a.Sources) == 1 {
		return a.Permission + " " + nameInARN(a.Sources[0])
	}
	return value
}

// again is a command of this program for the same queues.
func (f *queueFlags) again(command, rest string) string {
	text := "efferent " + command
	if f.Dev {
		text += " --dev"
	}
	if f.EndpointURL != "" && f.EndpointURL != os.Getenv("AWS_ENDPOINT_URL") {
		text += " --endpoint-url " + f.EndpointURL
	}
	if f.Prefix != "" && f.Prefix != os.Getenv("EFFERENT_PREFIX") {
		text += " --prefix " + f.Prefix
	}
	return strings.TrimSpace(text + " " + rest)
}
