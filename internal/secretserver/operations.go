package secretserver

import (
	"bytes"
	"context"
	"crypto/rand"
	"regexp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// maxValue is the longest value, in bytes ("AWS Secrets Manager quotas").
const maxValue = 65536

// secretName: "CreateSecret" in the API reference.
var secretName = regexp.MustCompile(`^[A-Za-z0-9/_+=.@-]{1,512}$`)

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
	case len(aws.ToString(text)) > maxValue, len(binary) > maxValue:
		return nil, invalidParameter("The secret value is longer than %d bytes.", maxValue)
	case token != nil && (len(*token) < 32 || len(*token) > 64):
		return nil, invalidParameter("ClientRequestToken must be 32-64 characters long.")
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
func (s *Server) CreateSecret(ctx context.Context, in *secretsmanager.CreateSecretInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.CreateSecretOutput, error) {
	name := aws.ToString(in.Name)
	if !secretName.MatchString(name) {
		return nil, invalidParameter("Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!")
	}
	if len(in.Tags) > 0 || len(in.AddReplicaRegions) > 0 || in.Type != nil {
		return nil, unsupported("Tags, AddReplicaRegions or Type")
	}
	v, err := newValue(in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	secret := s.secrets[name]
	if secret != nil {
		if old := secret.version(v.token); old == nil || !old.sameValue(v.text, v.binary) {
			return nil, exists("The operation failed because the secret %s already exists.", name)
		}
	} else {
		now := s.now()
		secret = &Secret{ARN: s.newARN(name), Name: name, Description: aws.ToString(in.Description),
			KMSKeyID: aws.ToString(in.KmsKeyId), Created: now, Changed: now}
		if !v.empty() {
			secret.add(Version{ID: v.token, Created: now, Text: v.text, Binary: v.binary}, []string{stageCurrent})
		}
		if err := s.save(ctx, secret); err != nil {
			return nil, err
		}
	}
	out := &secretsmanager.CreateSecretOutput{ARN: &secret.ARN, Name: &secret.Name}
	if !v.empty() {
		out.VersionId = &v.token
	}
	return out, nil
}

// PutSecretValue gives a secret a new version, AWSCURRENT unless the request
// names other stages.
func (s *Server) PutSecretValue(ctx context.Context, in *secretsmanager.PutSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.PutSecretValueOutput, error) {
	if in.RotationToken != nil {
		return nil, unsupported("RotationToken")
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
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, err := s.find(in.SecretId)
	if err != nil {
		return nil, err
	}
	if secret, err = s.put(ctx, secret, v, in.VersionStages); err != nil {
		return nil, err
	}
	return &secretsmanager.PutSecretValueOutput{ARN: &secret.ARN, Name: &secret.Name, VersionId: &v.token,
		VersionStages: slices.Clone(secret.version(v.token).Stages)}, nil
}

func checkStages(stages []string) error {
	if len(stages) > 20 {
		return invalidParameter("A version can have at most 20 staging labels.")
	}
	for _, stage := range stages {
		if len(stage) < 1 || len(stage) > 256 {
			return invalidParameter("A staging label is 1 to 256 characters long.")
		}
	}
	return nil
}

// put adds a version and saves the secret. A token that was used before is a
// repetition if the value is the same. mu must be held.
func (s *Server) put(ctx context.Context, secret *Secret, v *value, stages []string) (*Secret, error) {
	if old := secret.version(v.token); old != nil {
		if !old.sameValue(v.text, v.binary) {
			return nil, exists("You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.",
				v.token, secret.ARN)
		}
		return secret, nil
	}
	if len(stages) == 0 || len(secret.Versions) == 0 && !slices.Contains(stages, stageCurrent) {
		stages = append(slices.Clone(stages), stageCurrent)
	}
	secret = secret.clone()
	secret.Changed = s.now()
	secret.add(Version{ID: v.token, Created: secret.Changed, Text: v.text, Binary: v.binary}, stages)
	return secret, s.save(ctx, secret)
}

// UpdateSecret changes a secret's description or key, or gives it a new
// AWSCURRENT version.
func (s *Server) UpdateSecret(ctx context.Context, in *secretsmanager.UpdateSecretInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.UpdateSecretOutput, error) {
	if in.Type != nil {
		return nil, unsupported("Type")
	}
	v, err := newValue(in.ClientRequestToken, in.SecretString, in.SecretBinary)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	secret, err := s.find(in.SecretId)
	if err != nil {
		return nil, err
	}
	secret = secret.clone()
	secret.Changed = s.now()
	if in.Description != nil {
		secret.Description = *in.Description
	}
	if in.KmsKeyId != nil {
		secret.KMSKeyID = *in.KmsKeyId
	}
	out := &secretsmanager.UpdateSecretOutput{ARN: &secret.ARN, Name: &secret.Name}
	if v.empty() {
		return out, s.save(ctx, secret)
	}
	out.VersionId = &v.token
	_, err = s.put(ctx, secret, v, nil)
	return out, err
}

// GetSecretValue gives one version's value: AWSCURRENT's unless the request
// names a version or a stage.
func (s *Server) GetSecretValue(_ context.Context, in *secretsmanager.GetSecretValueInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.GetSecretValueOutput, error) {
	s.mu.RLock()
	secret, err := s.find(in.SecretId)
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	v, err := secret.wanted(in.VersionId, in.VersionStage)
	if err != nil {
		return nil, err
	}
	created := v.Created
	out := &secretsmanager.GetSecretValueOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name),
		VersionId: aws.String(v.ID), VersionStages: slices.Clone(v.Stages), CreatedDate: &created,
		SecretBinary: bytes.Clone(v.Binary)}
	if v.Text != nil {
		out.SecretString = aws.String(*v.Text)
	}
	return out, nil
}

func (s *Secret) wanted(id, stage *string) (*Version, error) {
	if id == nil {
		label := stageCurrent
		if stage != nil {
			label = *stage
		}
		if v := s.staged(label); v != nil {
			return v, nil
		}
		return nil, notFound("Secrets Manager can't find the specified secret value for staging label: %s", label)
	}
	v := s.version(*id)
	if v == nil {
		return nil, notFound("Secrets Manager can't find the specified secret value for VersionId: %s", *id)
	}
	if stage != nil && !slices.Contains(v.Stages, *stage) {
		return nil, invalidRequest("You provided a VersionStage that is not associated to the provided VersionId.")
	}
	return v, nil
}

// DescribeSecret tells everything about a secret but its values.
func (s *Server) DescribeSecret(_ context.Context, in *secretsmanager.DescribeSecretInput, _ ...func(*secretsmanager.Options)) (*secretsmanager.DescribeSecretOutput, error) {
	s.mu.RLock()
	secret, err := s.find(in.SecretId)
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	created, changed := secret.Created, secret.Changed
	out := &secretsmanager.DescribeSecretOutput{ARN: aws.String(secret.ARN), Name: aws.String(secret.Name),
		CreatedDate: &created, LastChangedDate: &changed, VersionIdsToStages: map[string][]string{}}
	if secret.Description != "" {
		out.Description = aws.String(secret.Description)
	}
	if secret.KMSKeyID != "" {
		out.KmsKeyId = aws.String(secret.KMSKeyID)
	}
	for _, v := range secret.Versions {
		if len(v.Stages) > 0 {
			out.VersionIdsToStages[v.ID] = slices.Clone(v.Stages)
		}
	}
	return out, nil
}
