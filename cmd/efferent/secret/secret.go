// Package secret is efferent secret: keys that sign and channels' settings, kept, rotated,
// listed and deleted.
package secret

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/webhook"
)

// Command is efferent secret.
type Command struct {
	Put    secretPutCommand    `cmd:"" help:"Keep a secret, or replace its value."`
	List   secretListCommand   `cmd:"" help:"The secrets: names, the names of their keys, dates. Never what they hold."`
	Rm     secretRmCommand     `cmd:"" help:"Delete a secret, or one key of a JSON secret. A whole one can be restored for a while."`
	Rotate secretRotateCommand `cmd:"" help:"Replace a key that signs webhooks; the one before signs beside it for a while."`
}

// secretFlags are what the commands have in common.
type secretFlags struct {
	reach.AWSFlags
	JSON bool `name:"json" help:"Print JSON."`
}

type secretPutCommand struct {
	secretFlags
	Name     string  `arg:"" help:"${secret_name}"`
	Value    *string `arg:"" optional:"" help:"${secret_value}"`
	Generate bool    `help:"Make a new whsec_ secret that signs webhooks, and print it, for the receiver."`
	Replace  bool    `help:"${secret_replace}"`
}

func (c *secretPutCommand) Run(ctx context.Context) error {
	ref, err := readSecretRef(c.Name)
	if err != nil {
		return err
	}
	value, err := c.value(ctx, ref)
	if err != nil {
		return err
	}
	p := put{ref: ref, value: value, replace: c.Replace}
	if p.warnings, err = ref.check(value); err != nil {
		return fmt.Errorf("%s is not kept: %w", c.Name, err)
	}
	kept, err := c.change(ctx, ref, p.text)
	if err != nil {
		return err
	}
	return Changed{
		Secret: c.Name, Version: kept.ID, ReceiverKey: receiverKey(value, c.Generate),
		notes: p.notes, done: "kept as " + c.Name,
	}.print(c.JSON)
}

func (c *secretPutCommand) value(ctx context.Context, ref secretRef) (string, error) {
	switch {
	case c.Generate && c.Value != nil:
		return "", console.Misusedf("give a value or --generate, not both")
	case c.Generate && !ref.signs():
		return "", console.Misusedf("--generate makes secrets that sign webhooks, under %s; give %s its JSON", webhook.SecretPrefix, c.Name)
	case c.Generate:
		return webhook.NewSecret(""), nil
	}
	return givenSecret(ctx, c.Name, c.Value)
}

// givenSecret is what is on the command line, typed, or on standard input.
func givenSecret(ctx context.Context, name string, value *string) (string, error) {
	switch {
	case value != nil && *value != "-":
		return *value, nil
	case term.IsTerminal(int(os.Stdin.Fd())):
		return typeSecret(ctx, name)
	}
	b, err := io.ReadAll(io.LimitReader(os.Stdin, rotation.MaxText+2)) // and its line break
	if err != nil {
		return "", fmt.Errorf("read the secret from standard input: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// Changed is what is told of a secret that was changed; done, and what is to
// be minded, only in words. The secret itself is never told, but what the receiver
// has to get.
type Changed struct {
	Secret  string `json:"secret"`
	Version string `json:"version"`
	// ReceiverKey is a key that was made here, or the public half of a private one.
	ReceiverKey string `json:"receiver_key,omitzero"`
	// PreviousUntil is RFC 3339.
	PreviousUntil string `json:"previous_until,omitzero"`
	Unchanged     bool   `json:"unchanged,omitzero"`

	notes []string
	done  string
}

func receiverKey(value string, made bool) string {
	secret, err := webhook.ParseSecret(value)
	if public := secret.PublicKey(); err == nil && public != "" {
		return public
	}
	if made {
		return value
	}
	return ""
}

func (s Changed) print(asJSON bool) error {
	for _, note := range s.notes {
		fmt.Fprintln(os.Stderr, "warning:", note)
	}
	if asJSON {
		return console.PrintJSON(s)
	}
	if s.ReceiverKey != "" {
		fmt.Println(s.ReceiverKey)
	}
	fmt.Fprintln(os.Stderr, s.done)
	return nil
}
