package secret

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/terminal"
	"github.com/efferent/efferent/internal/webhook"
)

type secretListCommand struct {
	secretFlags
	Prefix string `arg:"" optional:"" default:"efferent/" help:"Only those whose names begin so (${default})."`
	NoKeys bool   `help:"Do not read them for the names of their keys. That counts as a reading: from then on it is the last."`
}

// Listed is a secret without what it keeps.
type Listed struct {
	Secret string `json:"secret"`
	// Keys are the names of those of a JSON secret that signs.
	Keys []string `json:"keys,omitzero"`
	// Trouble is why the keys' names can't be read.
	Trouble  string    `json:"trouble,omitzero"`
	Created  time.Time `json:"created,omitzero"`
	Changed  time.Time `json:"changed,omitzero"`
	Accessed time.Time `json:"accessed,omitzero"`
	// Deleted is when its deletion was asked for: until its recovery window ends, 7
	// to 30 days later, it can be restored ("ListSecrets" in the API reference).
	Deleted time.Time `json:"deleted,omitzero"`
}

var secretColumns = []terminal.Column[Listed]{
	{Title: "SECRET", Cell: func(s Listed) string { return s.Secret }},
	{Title: "CHANGED", Cell: func(s Listed) string { return dateText(s.Changed) }},
	{Title: "LAST READ", Cell: func(s Listed) string { return dateText(s.Accessed) }},
	{Title: "DELETED", Cell: func(s Listed) string { return dateText(s.Deleted) }, Optional: true},
	{Title: "KEYS", Cell: func(s Listed) string { return strings.Join(s.Keys, ", ") }},
	{Title: "TROUBLE", Cell: func(s Listed) string { return s.Trouble }, Optional: true},
}

// dateText is a day: Secrets Manager tells of a reading no more.
func dateText(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format(time.DateOnly)
}

func (c *secretListCommand) Run(ctx context.Context) error {
	client, err := c.Secrets(ctx)
	if err != nil {
		return err
	}
	all, err := listSecrets(ctx, client, c.Prefix)
	if err != nil {
		return err
	}
	if c.NoKeys {
		return c.print(all)
	}
	for some := range slices.Chunk(all, batchOfSecrets) {
		if err := readKeyNames(ctx, client, some); err != nil {
			return err
		}
	}
	return c.print(all)
}

func (c *secretListCommand) print(all []Listed) (err error) {
	switch {
	case c.JSON:
		return console.PrintJSON(map[string]any{"items": all})
	case len(all) > 0:
		err = terminal.Table(terminal.Stdout(), secretColumns, all)
	}
	fmt.Fprintf(os.Stderr, "%s whose name begins with %s\n", console.CountOf(len(all), "secret"), terminal.Line(c.Prefix))
	return err
}

// listSecrets lists what is there under a prefix, by name, and what can still be
// restored.
func listSecrets(ctx context.Context, client secretsmanager.ListSecretsAPIClient, prefix string) (all []Listed, err error) {
	all = []Listed{}
	pages := secretsmanager.NewListSecretsPaginator(client, &secretsmanager.ListSecretsInput{IncludePlannedDeletion: aws.Bool(true),
		Filters: []types.Filter{{Key: types.FilterNameStringTypeName, Values: []string{prefix}}}})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the secrets: %w", err)
		}
		for _, s := range page.SecretList {
			all = append(all, Listed{Secret: aws.ToString(s.Name), Created: aws.ToTime(s.CreatedDate),
				Changed: aws.ToTime(cmp.Or(s.LastChangedDate, s.CreatedDate)), Accessed: aws.ToTime(s.LastAccessedDate),
				Deleted: aws.ToTime(s.DeletedDate)})
		}
	}
	slices.SortFunc(all, func(a, b Listed) int { return cmp.Compare(a.Secret, b.Secret) })
	return all, nil
}

// batchOfSecrets is how many BatchGetSecretValue reads at most.
const batchOfSecrets = 20

// batchSecretsAPI reads several secrets at once.
type batchSecretsAPI interface {
	BatchGetSecretValue(context.Context, *secretsmanager.BatchGetSecretValueInput, ...func(*secretsmanager.Options)) (
		*secretsmanager.BatchGetSecretValueOutput, error)
}

// readKeyNames fills in the names of the keys of those that sign.
func readKeyNames(ctx context.Context, client batchSecretsAPI, all []Listed) error {
	at := map[string]*Listed{}
	var ids []string
	for i := range all {
		if s := &all[i]; s.Deleted.IsZero() && strings.HasPrefix(s.Secret, webhook.SecretPrefix) {
			at[s.Secret], ids = s, append(ids, s.Secret)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	out, err := client.BatchGetSecretValue(ctx, &secretsmanager.BatchGetSecretValueInput{SecretIdList: ids})
	if err != nil {
		return fmt.Errorf("read the names of the secrets' keys: %w", err)
	}
	for _, v := range out.SecretValues {
		s := at[aws.ToString(v.Name)]
		keys, err := signingkey.Parse(aws.ToString(v.SecretString))
		switch {
		case s == nil:
		case err == nil:
			s.Keys = keys.Names()
		case signingkey.Begins(aws.ToString(v.SecretString)):
			s.Trouble = err.Error()
		}
	}
	for _, e := range out.Errors {
		if s := at[aws.ToString(e.SecretId)]; s != nil {
			s.Trouble = cmp.Or(aws.ToString(e.ErrorCode), "can't be read")
		}
	}
	return nil
}
