package secret

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/rotation"
	"github.com/efferent/efferent/internal/signingkey"
	"github.com/efferent/efferent/internal/terminal"
)

type secretRmCommand struct {
	secretFlags
	Name string `arg:"" help:"${secret_rm_name}"`
	Now  bool   `help:"Delete it at once: it can't be restored."`
	Days *days  `name:"recovery-days" placeholder:"N" help:"For how many days it can be restored, 7 to 30 (30)."`
	Yes  bool   `short:"y" help:"Do not ask before what can't be undone."`
}

// days are a recovery window ("DeleteSecret" in the API reference).
type days int

// UnmarshalText reads 7 to 30.
func (d *days) UnmarshalText(text []byte) error {
	n, err := console.Between(text, 7, 30)
	if err != nil {
		return fmt.Errorf("%q must be 7 to 30 days; --now is at once", text)
	}
	*d = days(n)
	return nil
}

// removedSecret is what is told of it.
type removedSecret struct {
	Secret string `json:"secret"`
	// RestorableUntil is missing for what is gone.
	RestorableUntil time.Time `json:"restorable_until,omitzero"`
	LastRead        time.Time `json:"last_read,omitzero"`
}

func (c *secretRmCommand) Run(ctx context.Context) error {
	ref, err := readSecretRef(c.Name)
	switch {
	case err != nil:
		return err
	case c.Now && c.Days != nil:
		return console.Misusedf("--now and --recovery-days do not go together")
	case ref.keyed && (c.Now || c.Days != nil):
		return console.Misusedf("--now and --recovery-days are for whole secrets: a key of a JSON secret goes at once")
	}
	client, err := c.Secrets(ctx)
	if err != nil {
		return err
	}
	removed := removedSecret{Secret: c.Name}
	if removed.LastRead, err = c.lastRead(ctx, client, ref); err != nil {
		return err
	}
	if err := c.sure(ctx, ref, removed.LastRead); err != nil {
		return err
	}
	if ref.keyed {
		_, err = c.change(ctx, ref, ref.withoutKey)
	} else {
		removed.RestorableUntil, err = c.remove(ctx, client, ref)
	}
	if err != nil {
		return err
	}
	return c.tell(ref, removed)
}

// lastRead is the day on which somebody read the secret last; zero where nobody
// has. It is an error where there is none.
func (c *secretRmCommand) lastRead(ctx context.Context, client *secretsmanager.Client, ref secretRef) (at time.Time, err error) {
	out, err := client.DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &ref.id})
	var missing *types.ResourceNotFoundException
	switch {
	case errors.As(err, &missing):
		return at, fmt.Errorf("there is no secret %s; `efferent secret list` lists those there are", ref.name)
	case err != nil:
		return at, fmt.Errorf("look at the secret %s: %w", ref.name, err)
	case out.DeletedDate != nil && !c.Now:
		return at, fmt.Errorf("%s is deleted already, and can be restored until %s (aws secretsmanager restore-secret)", ref.name,
			console.TimeText(*out.DeletedDate))
	}
	return aws.ToTime(out.LastAccessedDate), nil
}

// sure asks before what can't be undone.
func (c *secretRmCommand) sure(ctx context.Context, ref secretRef, read time.Time) error {
	if !c.Now && !ref.keyed {
		return nil
	}
	text := fmt.Sprintf("Delete %s at once, for good? %s", c.Name, readText(read))
	return (&console.YesFlag{Yes: c.Yes}).ConfirmOne(ctx, text)
}

// readText says whether somebody needs a secret, as far as that is known.
func readText(read time.Time) string {
	if read.IsZero() {
		return "It was never read."
	}
	return "It was last read on " + dateText(read) + "."
}

// remove deletes the whole secret, and returns until when it can be restored;
// zero for not at all.
func (c *secretRmCommand) remove(ctx context.Context, client *secretsmanager.Client, ref secretRef) (until time.Time, err error) {
	in := &secretsmanager.DeleteSecretInput{SecretId: &ref.id}
	switch {
	case c.Now:
		in.ForceDeleteWithoutRecovery = aws.Bool(true)
	case c.Days != nil:
		in.RecoveryWindowInDays = aws.Int64(int64(*c.Days))
	}
	out, err := client.DeleteSecret(ctx, in)
	if err != nil {
		return until, fmt.Errorf("delete the secret %s: %w", ref.name, err)
	}
	if !c.Now {
		until = aws.ToTime(out.DeletionDate)
	}
	return until, nil
}

// withoutKey is the text of a JSON secret without the key.
func (r secretRef) withoutKey(old rotation.Version) (string, error) {
	whole, err := signingkey.Remove(old.Text, r.key)
	if err != nil {
		return "", fmt.Errorf("%s: %w", r.name, err)
	}
	left, err := signingkey.Parse(whole)
	if err == nil && len(left.Names()) == 0 {
		return "", fmt.Errorf("%s#%s is its secret's only key; delete the secret: efferent secret rm %s", r.name, r.key, r.name)
	}
	return whole, err
}

func (c *secretRmCommand) tell(ref secretRef, removed removedSecret) error {
	if c.JSON {
		return console.PrintJSON(removed)
	}
	text := c.Name + " is gone"
	if !removed.RestorableUntil.IsZero() {
		text = fmt.Sprintf("%s is deleted, and can be restored until %s: aws secretsmanager restore-secret --secret-id %s%s", c.Name,
			console.TimeText(removed.RestorableUntil), console.ShellWord(ref.id), c.EndpointHint())
	}
	if err := terminal.Stdout().Say(text); err != nil {
		return err
	}
	what := "what names it"
	if !ref.signs() {
		what = "its channel"
	}
	return terminal.Stderr().Say(readText(removed.LastRead) + " From now on " + what +
		" fails; what a function has read it still uses for some minutes.")
}
