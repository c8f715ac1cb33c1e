// Package ownqueues is the queues that Efferent owns, with the attributes that a
// deployment gives them; how they are made, and efferent queues, which makes them.
package ownqueues

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

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/settings"
)

// Command is efferent queues.
type Command struct {
	Create queuesCreateCommand `cmd:"" help:"Make the eight queues as a deployment does; those that are there stay as they are."`
}

type queuesCreateCommand struct {
	reach.QueueFlags
	MaxReceives int      `env:"EFFERENT_MAX_RECEIVES" default:"${max_receives}" help:"The maxReceiveCount of all but audit.fifo (${default})."`
	Update      []string `placeholder:"ATTRIBUTE" help:"${queues_update}"`
	JSON        bool     `name:"json" help:"Write JSON."`
}

// queuePrefix is what may stand before the longest of the names ("Amazon SQS
// message quotas": 80 characters).
var queuePrefix = regexp.MustCompile(`^[A-Za-z0-9_-]{0,59}$`)

// updatable are the attributes that --update may name.
var updatable = []string{"all", Retention, Visibility, Encrypted, dedupScope, FifoThroughput, contentDedup, RedrivePolicy, RedriveAllow}

func (c *queuesCreateCommand) Run(ctx context.Context) error {
	if err := c.check(); err != nil {
		return console.Misused(err)
	}
	config, err := c.Config(ctx)
	if err != nil {
		return err
	}
	m := Maker{API: sqs.NewFromConfig(config), Prefix: c.Prefix, Receives: c.MaxReceives, Update: c.Update, Settle: settle}
	made, err := m.All(ctx)
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
func settle(ctx context.Context) {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
}

// print says of each queue what became of it, and how others differ from a
// deployment's, in lines that fit 80 columns where the names do.
func (c *queuesCreateCommand) print(w io.Writer, made []Made) {
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
func unchanged(made []Made) (names []string) {
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
	if c.MaxReceives != settings.DefaultMaxReceives && slices.Contains(names, RedrivePolicy) {
		rest = fmt.Sprintf("--max-receives %d %s", c.MaxReceives, rest)
	}
	return c.Again("queues create", rest)
}

// inWords is an attribute's value for people.
func inWords(value string) string {
	if value == "" {
		return "not set"
	}
	if r, err := awssqs.ParseRedrive(value); err == nil {
		return fmt.Sprintf("%d receives, then %s", r.Receives, NameInARN(r.Target))
	}
	var a allowance
	if json.Unmarshal([]byte(value), &a) == nil && len(a.Sources) == 1 {
		return a.Permission + " " + NameInARN(a.Sources[0])
	}
	return value
}
