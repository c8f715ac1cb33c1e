package secretserver

import (
	"bytes"
	"context"
	"crypto/rand"
	"regexp"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// maxValue is the longest value, in bytes ("AWS Secrets Manager quotas").
const maxValue = 65536

// secretName: "CreateSecret" in the API reference.
var secretName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]+$`)

// value is a new version's value, with the token that is to be its id.
type value struct {
	token  string
	text   *string
	binary []byte
}

// newValue checks what a request gives. Without a token the version gets a
// random id, and the request can't be repeated.
func newValue(token, text *string, binary []byte) (*value, error) {
	switch {
	case text != nil && binary != nil:
		return nil, invalidParameter("You can't specify both a binary secret value and a string secret value in the same secret.")
	case token != nil && (len(*token) < 32 || len(*token) > 64):
		return nil, invalidParameter("ClientRequestToken must be 32-64 characters long.")
	}
	if text != nil {
		if err := checkLength("secretString", len(*text), 1, maxValue); err != nil {
			return nil, err
		}
	}
	if binary != nil {
		if err := checkLength("secretBinary", len(binary), 1, maxValue); err != nil {
			return nil, err
		}
	}
	v := &value{token: aws.ToString(token), text: text, binary: bytes.Clone(binary)}
	if v.token == "" {
		v.token = rand.Text() + rand.Text()
	}
	return v, nil
}

func (v *value) empty() bool { return v.text == nil && v.binary == nil }

// CreateSecret makes a secret, with a first version if a value is given.
// Repeating it with the same token and value gives the same answer.
func (s *Server) CreateSecret(ctx context.Context, in *secretsmanager.CreateSecretInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.CreateSecretOutput, error) {
	v, err := newValue(in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	made, err := newSecret(in)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	secret := s.present(made.Name)
	switch {
	case secret == nil:
		if secret, err = s.create(ctx, made, v); err != nil {
			return nil, err
		}
	case secret.scheduled():
		return nil, invalidRequest("You can't create this secret because a secret with this name is already scheduled for deletion.")
	default:
		if old := secret.version(v.token); old == nil || !old.sameValue(v.text, v.binary) {
			return nil, exists("The operation failed because the secret %s already exists.", made.Name)
		}
	}
	out := &secretsmanager.CreateSecretOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name)}
	if !v.empty() {
		out.VersionId = &v.token
	}
	return out, nil
}

// newSecret is what a request describes, without its value.
func newSecret(in *secretsmanager.CreateSecretInput) (*Secret, error) {
	name := aws.ToString(in.Name)
	switch {
	case in.Name == nil:
		return nil, invalidParameter("The request must contain Name.")
	case !secretName.MatchString(name):
		return nil, invalidName()
	case len(in.AddReplicaRegions) > 0 || in.ForceOverwriteReplicaSecret:
		return nil, unsupported("Replication (AddReplicaRegions, ForceOverwriteReplicaSecret)")
	case in.Type != nil:
		return nil, unsupported("A managed external secret (Type)")
	}
	if err := checkLength("name", len(name), 1, 512); err != nil {
		return nil, err
	}
	secret := &Secret{Name: name, Description: aws.ToString(in.Description), KMSKeyID: aws.ToString(in.KmsKeyId)}
	if len(in.Tags) > 0 {
		if err := secret.tag(in.Tags); err != nil {
			return nil, err
		}
	}
	return secret, secret.checkTexts()
}

func (s *Secret) checkTexts() error {
	if err := checkLength("description", utf8.RuneCountInString(s.Description), 0, 2048); err != nil {
		return err
	}
	return checkLength("kmsKeyId", utf8.RuneCountInString(s.KMSKeyID), 0, 2048)
}

// create saves a new secret. mu must be held.
func (s *Server) create(ctx context.Context, secret *Secret, v *value) (*Secret, error) {
	now := s.now()
	secret.ARN, secret.Created, secret.Changed = s.newARN(secret.Name), now, now
	if !v.empty() {
		if err := secret.add(Version{ID: v.token, Created: now, Text: v.text, Binary: v.binary}, []string{stageCurrent}); err != nil {
			return nil, err
		}
	}
	return secret, s.save(ctx, secret)
}

// PutSecretValue gives a secret a new version, AWSCURRENT unless the request
// names other stages.
func (s *Server) PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.PutSecretValueOutput, error) {
	if in.RotationToken != nil {
		return nil, unsupported("Cross-account rotation (RotationToken)")
	}
	v, err := newValue(in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	if v.empty() {
		return nil, invalidRequest("You must provide either SecretString or SecretBinary.")
	}
	if err := checkStages(in.VersionStages); err != nil {
		return nil, err
	}
	secret, err := s.change(ctx, in.SecretId, func(secret *Secret) (bool, error) { return secret.put(v, in.VersionStages) })
	if err != nil {
		return nil, err
	}
	return &secretsmanager.PutSecretValueOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name), VersionId: &v.token,
		VersionStages: secret.version(v.token).stages()}, nil
}

// put adds a version. A token that was used before is a repetition if the
// value is the same, which changes nothing.
func (s *Secret) put(v *value, stages []string) (changed bool, err error) {
	if old := s.version(v.token); old != nil && old.empty() {
		old.Text, old.Binary = v.text, v.binary
		return true, s.label(old.ID, stages)
	} else if old != nil {
		if !old.sameValue(v.text, v.binary) {
			return false, exists("You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.",
				v.token, s.ARN)
		}
		return false, nil
	}
	if len(stages) == 0 || len(s.Versions) == 0 && !slices.Contains(stages, stageCurrent) {
		stages = append(slices.Clone(stages), stageCurrent)
	}
	return true, s.add(Version{ID: v.token, Created: s.Changed, Text: v.text, Binary: v.binary}, stages)
}

// UpdateSecret changes a secret's description or key, or gives it a new
// AWSCURRENT version.
func (s *Server) UpdateSecret(ctx context.Context, in *secretsmanager.UpdateSecretInput, _ ...func(*secretsmanager.Options)) (
	*secretsmanager.UpdateSecretOutput, error) {
	if in.Type != nil {
		return nil, unsupported("A managed external secret (Type)")
	}
	v, err := newValue(in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	secret, err := s.change(ctx, in.SecretId, func(secret *Secret) (bool, error) {
		if in.Description != nil {
			secret.Description = *in.Description
		}
		if in.KmsKeyId != nil {
			secret.KMSKeyID = *in.KmsKeyId
		}
		if err := secret.checkTexts(); err != nil || v.empty() {
			return true, err
		}
		return secret.put(v, nil)
	})
	if err != nil {
		return nil, err
	}
	out := &secretsmanager.UpdateSecretOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name)}
	if !v.empty() {
		out.VersionId = &v.token
	}
	return out, nil
}
