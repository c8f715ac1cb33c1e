// Command efferent sends an organisation's outbound traffic: it runs all of
// Efferent in one process (dev), and works with a running one.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/alecthomas/kong"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/terminal"
	"github.com/efferent/efferent/internal/version"
)

type cli struct {
	Dev          devCommand          `cmd:"" help:"Run all of Efferent in this process, with its own SQS and Secrets Manager endpoint."`
	Worker       workerCommand       `cmd:"" help:"Run the handlers on queues of AWS, LocalStack or any other SQS endpoint."`
	Demo         demoCommand         `cmd:"" help:"${demo}"`
	Send         sendCommand         `cmd:"" help:"Put one webhook on the queue."`
	Publish      publishCommand      `cmd:"" help:"Publish one event to those of a tenant's endpoints that subscribe to it."`
	Notify       notifyCommand       `cmd:"" help:"Put one notification on the queue."`
	Endpoints    endpointsCommand    `cmd:"" help:"Register the endpoints of tenants, change them, pause them, see what they got."`
	Recipients   recipientsCommand   `cmd:"" help:"Keep the recipients of tenants: addresses, channels, opt-outs."`
	Suppressions suppressionsCommand `cmd:"" help:"Look at the addresses that are not sent to, and change them."`
	Deliveries   deliveriesCommand   `cmd:"" help:"Look at what was sent."`
	Dlq          dlqCommand          `cmd:"" help:"Look at what could not be delivered, replay it, discard it."`
	Waiting      waitingCommand      `cmd:"" help:"Look at what waits for its next attempt, send it now, drop it."`
	Circuits     circuitsCommand     `cmd:"" help:"Look at the circuit breakers of endpoints, open them, close them."`
	Audit        auditCommand        `cmd:"" help:"Check the ledger of what was sent."`
	Data         dataCommand         `cmd:"" help:"Check a data file."`
	Health       healthCommand       `cmd:"" help:"Ask the worker of this machine whether it works: exit 0 if it does. For probes."`
	Queues       queuesCommand       `cmd:"" help:"Make the queues that a worker works on."`
	Secret       secretCommand       `cmd:"" help:"Keep the secrets that sign webhooks and configure channels."`
	Version      versionCommand      `cmd:"" help:"Print the version."`
	Help         helpCommand         `cmd:"" help:"Show how a command is used."`
	Completion   completionCommand   `cmd:"" help:"Print what has a shell complete these commands: bash, zsh or fish."`

	ShowVersion kong.VersionFlag `name:"version" help:"Print the version."`
}

// vars stand for addresses, and for help that is too long for a field's tag.
var vars = kong.Vars{
	"audit_lanes":  strconv.Itoa(ledger.DefaultLanes),
	"endpoint_url": "Speak to this AWS endpoint instead of AWS itself.",
	"audit_prove":  "Write a file that proves what the ledger holds under a webhook-id. Exit 2: not all of it is signed yet.",
	"audit_export": "Where the copy goes. What an earlier export left there must still be the same: exit 1 where it is not.",
	"demo":         "Show what Efferent does, " + demoTakes + ": webhooks that arrive, fail, are retried and parked.",
	"demo_notify":  "Show notifications instead, " + demoNotifyTakes + ": who gets what, by which way, and why.",
	"dev_aws":      devAWS, "dev_http": devHTTP,
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
	"secret_value": "The value. Left out, or -, it is asked for or read from standard input, and stays out of your shell's history.",
}

func main() {
	ctx, stop := untilSignal(context.Background())
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
		return fail(ctx, "efferent", parseError(err))
	}
	return fail(ctx, commandOf(command), finished(ctx, command))
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
	code := exitCode(ctx, err)
	text := terminal.Lines(err.Error())
	var usage usageError
	if !errors.As(err, &usage) {
		fmt.Fprintln(os.Stderr, "efferent:", text)
		return code
	}
	command = cmp.Or(usage.command, command)
	fmt.Fprintf(os.Stderr, "%s: %s\n%s --help shows how it is used\n", command, text, command)
	return code
}
