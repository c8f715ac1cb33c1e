package awssecrets

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/ledger"
)

// MakeAPI is what making keys takes.
type MakeAPI interface {
	API
	CreateSecret(context.Context, *secretsmanager.CreateSecretInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.CreateSecretOutput, error)
	PutSecretValue(context.Context, *secretsmanager.PutSecretValueInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.PutSecretValueOutput, error)
	UpdateSecretVersionStage(context.Context, *secretsmanager.UpdateSecretVersionStageInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.UpdateSecretVersionStageOutput, error)
}

const (
	stageCurrent = "AWSCURRENT"
	// stageNext is on the version that is about to become the current one. A put
	// with a label of its own leaves AWSCURRENT where it is.
	stageNext = "efferent-next"
	// makeTries is how often keys are made anew because somebody was faster.
	makeTries = 5
)

// errFaster says that somebody else has changed the secret meanwhile.
var errFaster = errors.New("somebody else keeps changing it")

// MonthKeys makes the keys that Redactors reads. Any number of them may make
// keys of one secret at once: none replaces what another one made.
type MonthKeys struct {
	API MakeAPI
	// Name is the secret's name or ARN. One that is not there is made, by a name.
	Name string
}

// Make sees to it that there is a key for each month. Those that are there stay
// as they are, whatever they are, and so does all else in the secret.
func (k *MonthKeys) Make(ctx context.Context, months ...string) (err error) {
	for range makeTries {
		if err = k.make(ctx, months); !errors.Is(err, errFaster) {
			break
		}
	}
	if err != nil {
		return fmt.Errorf("the keys of the ledger's hashes, secret %q: %w", k.Name, err)
	}
	return nil
}

// make adds what is missing to the version that is read, and makes it current in
// that one's place only.
func (k *MonthKeys) make(ctx context.Context, months []string) error {
	all := map[string]jsontext.Value{}
	last, err := k.API.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &k.Name})
	var none *types.ResourceNotFoundException
	switch {
	case errors.As(err, &none):
		last = &secretsmanager.GetSecretValueOutput{}
	case err != nil:
		return err
	case json.Unmarshal([]byte(aws.ToString(last.SecretString)), &all) != nil || all == nil:
		return errors.New("it is not a JSON object; put {} there")
	}
	text, err := withKeys(all, months)
	if text == "" || err != nil {
		return err
	}
	token := uuid.NewString()
	_, err = k.API.PutSecretValue(ctx, &secretsmanager.PutSecretValueInput{
		SecretId: &k.Name, SecretString: &text, ClientRequestToken: &token, VersionStages: []string{stageNext},
	})
	switch {
	case errors.As(err, &none) && last.VersionId == nil:
		return k.create(ctx, text, token)
	case err != nil:
		return err
	}
	return k.take(ctx, token, last.VersionId)
}

// withKeys is a secret with a key for each month, empty where it has them all.
func withKeys(all map[string]jsontext.Value, months []string) (text string, err error) {
	missing := false
	for _, month := range months {
		if _, ok := all[month]; ok {
			continue
		}
		key := make([]byte, ledger.RedactionKeySize)
		rand.Read(key)
		all[month], missing = jsontext.Value(`"`+base64.StdEncoding.EncodeToString(key)+`"`), true
	}
	if !missing {
		return "", nil
	}
	b, err := json.Marshal(all, json.Deterministic(true))
	return string(b), err
}

// create makes the secret.
func (k *MonthKeys) create(ctx context.Context, text, token string) error {
	_, err := k.API.CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &k.Name, SecretString: &text, ClientRequestToken: &token})
	var exists *types.ResourceExistsException
	if errors.As(err, &exists) {
		return errFaster
	}
	return err
}

// take makes a version the current one, if that is still the one that it was
// made from: Secrets Manager refuses a move from a version that has not got the
// label ("UpdateSecretVersionStage" in the API reference).
func (k *MonthKeys) take(ctx context.Context, version string, from *string) error {
	_, err := k.API.UpdateSecretVersionStage(ctx, &secretsmanager.UpdateSecretVersionStageInput{
		SecretId: &k.Name, VersionStage: aws.String(stageCurrent), MoveToVersionId: &version, RemoveFromVersionId: from,
	})
	var elsewhere *types.InvalidParameterException
	if errors.As(err, &elsewhere) {
		return fmt.Errorf("%w: %w", errFaster, err)
	}
	return err
}
