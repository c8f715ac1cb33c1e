package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/channel"
)

// putSecretAPI is what keeping a secret takes.
type putSecretAPI interface {
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.CreateSecretOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.PutSecretValueOutput, error)
}

// setKeyAPI is what setting one key of a secret takes.
type setKeyAPI interface {
	putSecretAPI
	GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.GetSecretValueOutput, error)
}

// keep puts a value that was checked.
func (r secretRef) keep(ctx context.Context, client setKeyAPI, value string) (err error) {
	if r.keyed {
		if value, err = r.withKey(ctx, client, value); err != nil {
			return err
		}
	}
	if err = putSecret(ctx, client, r.id, value); err != nil && strings.Contains(err.Error(), "deletion") {
		return fmt.Errorf("%w; restore it (aws secretsmanager restore-secret), or take another name", err)
	}
	return err
}

// withKey is the secret's present value with one key set. The others stay as
// they are.
func (r secretRef) withKey(ctx context.Context, client setKeyAPI, value string) (string, error) {
	all := map[string]jsontext.Value{}
	out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &r.id})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing): // it is made
	case err != nil:
		return "", fmt.Errorf("read the secret %s, to set one key of it: %w", r.name, err)
	case out.SecretString == nil || json.Unmarshal([]byte(*out.SecretString), &all) != nil || all == nil:
		return "", fmt.Errorf("%s holds no JSON object, so the key %q can't be set; put the whole: {%q: …}", r.name, r.key, r.key)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("the value can't be written as JSON: %w", err)
	}
	all[r.key] = text
	whole, err := json.Marshal(all, json.Deterministic(true))
	if err != nil {
		return "", fmt.Errorf("the secret can't be written as JSON: %w", err)
	}
	if len(whole) > maxSecretValue {
		return "", fmt.Errorf("with the key %q, %s would have more than a secret's %d bytes; use another one", r.key, r.name, maxSecretValue)
	}
	return string(whole), channel.CheckSecret(r.name, string(whole))
}

// putSecret keeps a secret that may be there already. id is a name; or an ARN,
// where it is.
func putSecret(ctx context.Context, client putSecretAPI, id, value string) error {
	_, err := client.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{SecretId: &id, SecretString: &value})
	var missing *types.ResourceNotFoundException
	if errors.As(err, &missing) && !strings.HasPrefix(id, "arn:") {
		_, err = client.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &id, SecretString: &value})
	}
	if err != nil {
		return fmt.Errorf("keep the secret %s: %w", id, err)
	}
	return nil
}
