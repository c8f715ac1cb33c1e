package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/efferent/efferent/internal/webhook"
)

type secretCommand struct {
	Put secretPutCommand `cmd:"" help:"Keep a secret, or replace its value."`
}

type secretPutCommand struct {
	awsFlags
	Name     string  `arg:"" help:"${secret_name}"`
	Value    *string `arg:"" optional:"" help:"${secret_value}"`
	Generate bool    `help:"Make a new whsec_ secret that signs webhooks, and print it, for the receiver."`
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
	warnings, err := ref.check(value)
	if err != nil {
		return fmt.Errorf("%s is not kept: %w", c.Name, err)
	}
	client, err := c.secrets(ctx)
	if err != nil {
		return err
	}
	if err := ref.keep(ctx, client, value); err != nil {
		return err
	}
	if c.Generate {
		fmt.Println(value)
	}
	for _, w := range warnings {
		fmt.Fprintln(os.Stderr, "warning:", w)
	}
	fmt.Fprintln(os.Stderr, "kept as", c.Name)
	return nil
}

func (c *secretPutCommand) value(ctx context.Context, ref secretRef) (string, error) {
	switch {
	case c.Generate && c.Value != nil:
		return "", errors.New("give a value or --generate, not both")
	case c.Generate && !ref.signs():
		return "", fmt.Errorf("--generate makes secrets that sign webhooks, under %s; give %s its JSON", webhook.SecretPrefix, c.Name)
	case c.Generate:
		return generateSecret(), nil
	case c.Value != nil && *c.Value != "-":
		return *c.Value, nil
	case term.IsTerminal(int(os.Stdin.Fd())):
		return typeSecret(ctx, c.Name)
	}
	b, err := io.ReadAll(io.LimitReader(os.Stdin, maxSecretValue+2)) // and its line break
	if err != nil {
		return "", fmt.Errorf("read the secret from standard input: %w", err)
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// generateSecret makes a Standard Webhooks secret of 32 random bytes.
func generateSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return "whsec_" + base64.StdEncoding.EncodeToString(b)
}
