// Package commandline is the command line of efferent: the list of its
// subcommands, each of which has a room of its own beside this one, their help,
// and what the process ends with.
package commandline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/alecthomas/kong"

	"github.com/efferent/efferent/cmd/efferent/audit"
	"github.com/efferent/efferent/cmd/efferent/circuits"
	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/deliveries"
	"github.com/efferent/efferent/cmd/efferent/demo"
	"github.com/efferent/efferent/cmd/efferent/dev"
	"github.com/efferent/efferent/cmd/efferent/directory"
	"github.com/efferent/efferent/cmd/efferent/dlq"
	"github.com/efferent/efferent/cmd/efferent/endpoints"
	"github.com/efferent/efferent/cmd/efferent/ownqueues"
	"github.com/efferent/efferent/cmd/efferent/produce"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/cmd/efferent/secret"
	"github.com/efferent/efferent/cmd/efferent/waiting"
	"github.com/efferent/efferent/cmd/efferent/worker"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/terminal"
	"github.com/efferent/efferent/internal/version"
)

// cli is the list of the subcommands, in the order of the help.
type cli struct {
	// What runs all of Efferent.
	Dev    dev.Command    `cmd:"" help:"Run all of Efferent in this process, with its own SQS and Secrets Manager endpoint."`
	Worker worker.Command `cmd:"" help:"Run the handlers on queues of AWS, LocalStack or any other SQS endpoint."`
	Demo   demo.Command   `cmd:"" help:"${demo}"`

	// What producers do.
	Send    produce.SendCommand    `cmd:"" help:"Put one webhook on the queue."`
	Publish produce.PublishCommand `cmd:"" help:"Publish one event to those of a tenant's endpoints that subscribe to it."`
	Notify  produce.NotifyCommand  `cmd:"" help:"Put one notification on the queue."`

	// What is registered.
	Recipients   directory.RecipientsCommand   `cmd:"" help:"Keep the recipients of tenants: addresses, channels, opt-outs."`
	Endpoints    endpoints.Command             `cmd:"" help:"Register the endpoints of tenants, change them, pause them, see what they got."`
	Suppressions directory.SuppressionsCommand `cmd:"" help:"Look at the addresses that are not sent to, and change them."`

	Templates directory.TemplatesCommand `cmd:"" help:"Keep the templates of notifications, preview them, go back to an earlier version."`

	// What became of messages.
	Deliveries deliveries.Command `cmd:"" help:"Look at what was sent."`
	Dlq        dlq.Command        `cmd:"" help:"Look at what could not be delivered, replay it, discard it."`
	Waiting    waiting.Command    `cmd:"" help:"Look at what waits for its next attempt, send it now, drop it."`
	Circuits   circuits.Command   `cmd:"" help:"Look at the circuit breakers of endpoints, open them, close them."`

	// What is kept.
	Audit  audit.Command        `cmd:"" help:"Check the ledger of what was sent."`
	Data   dev.DataCommand      `cmd:"" help:"Check a data file."`
	Health worker.HealthCommand `cmd:"" help:"Ask the worker of this machine whether it works: exit 0 if it does. For probes."`
	Queues ownqueues.Command    `cmd:"" help:"Make the queues that a worker works on."`
	Secret secret.Command       `cmd:"" help:"Keep the secrets that sign webhooks and configure channels."`

	// The program itself.
	Version    versionCommand    `cmd:"" help:"Print the version."`
	Help       helpCommand       `cmd:"" help:"Show how a command is used."`
	Completion completionCommand `cmd:"" help:"Print what has a shell complete these commands: bash, zsh or fish."`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`
}

// vars stand for addresses, and for help that is too long for a field's tag.
var vars = kong.Vars{
	"audit_lanes":  strconv.Itoa(ledger.DefaultLanes),
	"endpoint_url": "Speak to this AWS endpoint instead of AWS itself.",
	"audit_prove":  "Write a file that proves what the ledger holds under a webhook-id. Exit 2: not all of it is signed yet.",
	"audit_export": "Where the copy goes. What an earlier export left there must still be the same: exit 1 where it is not.",
	"demo":         "Show what Efferent does, " + demo.Takes + ": webhooks that arrive, fail, are retried and parked.",
	"demo_notify":  "Show notifications instead, " + demo.NotifyTakes + ": who gets what, by which way, and why.",
	"dev_aws":      reach.DevAWS, "dev_http": reach.DevHTTP,
	"dlq_since": "Only those last tried since then: 2026-11-24T08:00:00Z, or 2h or 3d ago.",
	"list_source": "index lists failures as they were recorded (the default); queue looks into the queue itself, " +
		"for what died without a handler: up to 200.",
	"recipient_topic":  "What they want of a topic, such as alarm=sms,email; =none opts out, = is as everything else. May be repeated.",
	"recipient_patch":  `A JSON merge patch, such as {"addresses": {"sms": null}}; - reads it from standard input.`,
	"notify_channels":  "email, slack, sms, teams, discord or webhook. Beside --to: the one to begin with.",
	"notify_recipient": "The address there; several get one email, or --each. Instead of --to.",
	"notify_to":        "A recipient of the tenant, by their id, to be looked up; several get a message each.",
	"notify_fallback": "The channels to use when the first fails, in order; none for no other. " +
		"Otherwise Slack after email, none after a webhook, and email after the rest.",
	"max_receives": strconv.Itoa(settings.DefaultMaxReceives),
	"queues_update": "Give those that are there this attribute of a deployment's, such as VisibilityTimeout; " +
		"all for every one that differs. May be repeated.",
	"worker_http": "To others than this machine only with --allow-host, and a token or --behind-auth.",
	"worker_token": "Where the token is that the API asks for: a secret, by its name under efferent/ or its ARN, or a file. " +
		"Or EFFERENT_API_TOKEN is the token.",
	"send_secret": "Name or ARN of the secret that signs, under efferent/webhooks/; NAME#KEY for a key of a JSON secret.",
	"secret_name": "The secret's name: those under efferent/webhooks/ sign webhooks; " +
		"efferent/smtp, efferent/slack and efferent/twilio configure channels. NAME#KEY sets one key of a JSON secret.",
	"waiting_reason": "Only those that wait for this reason: delay (by their retry policy), retry-after (the endpoint asked for it), " +
		"trouble (of Efferent's own), limit (of a provider), circuit (the endpoint's is open), " +
		"paused (the endpoint is paused or disabled).",
	"circuits_open": "Send nothing to an endpoint until its circuit is closed by hand: its messages wait, for up to 14 days.",
	"secret_replace": "Put one key in the place of a JSON object of keys, or an object in the place of one key. What names a key that is " +
		"not there then can't be signed.",
	"endpoint_type":   "The types of events that it gets: a type, invoice.* or *. May be repeated.",
	"delivery_state":  "Only attempts that delivered (delivered), that failed for good (failed), or whose message goes on (retrying).",
	"endpoint_verify": "event: a signed event, whose challenge is to be in the answer; options: the handshake of CloudEvents.",
	"endpoint_patch":  `What to change, as a JSON merge patch: '{"url": "…", "labels": null}'; - reads it from standard input.`,
	"secret_rm_name":  "The secret's name; NAME#KEY for one key of a JSON secret.",
	"rotate_name":     "The secret's name, under efferent/webhooks/; NAME#KEY for one key of a JSON secret.",
	"rotate_value": "The new key; - to type it or read it from standard input. Left out, one is made, and what the " +
		"receiver needs is printed.",
	"rotate_grace": "How long the key before signs too, 0 to 168h, where it is one of a JSON secret (24h). Of a secret with one key the " +
		"deployment says that.",
	"template_files": "subject.txt, body.txt, body.html, sms.txt, slack.txt, slack.json, teams.json, discord.json",
	"template_parts": "subject, body, html, sms, slack, blocks, card or embeds",
	"secret_value":   "The value. Left out, or -, it is asked for or read from standard input, and stays out of your shell's history.",
}

// Main runs the command line of this process, and ends the process.
func Main() {
	ctx, stop := console.UntilSignal(context.Background())
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run runs a command line and returns its exit code.
func run(ctx context.Context, args []string) int {
	if len(args) > 0 && args[0] == completeCommand {
		return complete(os.Stdout, args[1:])
	}
	var c cli
	parser := newParser(&c, kong.BindTo(ctx, (*context.Context)(nil)))
	command, err := parser.Parse(args)
	if err != nil {
		return fail(ctx, "efferent", console.ParseError(err))
	}
	return fail(ctx, console.CommandOf(command), console.Finished(ctx, command))
}

func newParser(c *cli, options ...kong.Option) *kong.Kong {
	return kong.Must(c, append(options, kong.Name("efferent"), vars, kong.Vars{"version": "efferent " + version.Read().Version},
		kong.Description("Signed webhooks and notifications from your own AWS account."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}))...)
}

// fail prints what went wrong, if anything, and returns the exit code.
func fail(ctx context.Context, command string, err error) int {
	if err == nil {
		return 0
	}
	code := console.ExitCode(ctx, err)
	text := terminal.Lines(err.Error())
	var usage console.UsageError
	if !errors.As(err, &usage) {
		fmt.Fprintln(os.Stderr, "efferent:", text)
		return code
	}
	command = cmp.Or(usage.Command, command)
	fmt.Fprintf(os.Stderr, "%s: %s\n%s --help shows how it is used\n", command, text, command)
	return code
}
