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

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/webhook"
)

type secretCommand struct {
	Put secretPutCommand `cmd:"" help:"Keep a secret, or replace its value."`
}

type secretPutCommand struct {
	awsFlags
	Name     string `arg:"" help:"${secret_name}"`
	Value    string `arg:"" optional:"" help:"The value. Left out, it is read from standard input, and stays out of your shell's history."`
	Generate bool   `help:"Make a new whsec_ secret and print it, for the receiver."`
}

func (c *secretPutCommand) Run(ctx context.Context) error {
	value, err := c.value()
	if err != nil {
		return err
	}
	client, err := c.secrets(ctx)
	if err != nil {
		return err
	}
	if err := putSecret(ctx, client, c.Name, value); err != nil {
		return err
	}
	if c.Generate {
		fmt.Println(value)
	}
	fmt.Fprintln(os.Stderr, "kept as", c.Name)
	return nil
}

func (c *secretPutCommand) value() (string, error) {
	switch {
	case c.Generate && c.Value != "":
		return "", errors.New("give a value or --generate, not both")
	case c.Generate:
		return generateSecret(), nil
	}
	value := c.Value
	if value == "" {
		if stat, err := os.Stdin.Stat(); err == nil && stat.Mode()&os.ModeCharDevice != 0 {
			fmt.Fprintln(os.Stderr, "Type the secret, then Enter and Ctrl-D:")
		}
		b, err := io.ReadAll(os.Stdin)
		if err != nil {
			return "", fmt.Errorf("read the secret from standard input: %w", err)
		}
		value = strings.TrimRight(string(b), "\r\n")
	}
	if value == "" {
		return "", errors.New("the secret is empty")
	}
	if err := channel.CheckSecret(c.Name, value); err != nil {
		return "", err
	}
	// A JSON secret holds one secret per key; which of them sign is not known here.
	if strings.HasPrefix(c.Name, webhook.SecretPrefix) && !strings.HasPrefix(value, "{") {
		if _, err := webhook.ParseSecret(value); err != nil {
			return "", err
		}
	}
	return value, nil
}

// generateSecret makes a Standard Webhooks secret of 32 random bytes.
func generateSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return "whsec_" + base64.StdEncoding.EncodeToString(b)
}

// putSecretAPI is what keeping a secret takes.
type putSecretAPI interface {
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.CreateSecretOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.PutSecretValueOutput, error)
}

func putSecret(ctx context.Context, client putSecretAPI, name, value string) error {
	_, err := client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &name, SecretString: &value})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) {
		_, err = client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name, SecretString: &value})
	}
	if err != nil {
		return fmt.Errorf("keep the secret %s: %w", name, err)
	}
	return nil
}
