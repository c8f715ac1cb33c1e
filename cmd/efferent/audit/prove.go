package audit

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"time"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/terminal"
)

type auditProveCommand struct {
	reach.APIFlags
	bookFlags
	ID     string        `arg:"" name:"webhook-id" help:"The webhook-id, or a notification's id."`
	Output string        `short:"o" placeholder:"FILE" help:"Where the proofs go (WEBHOOK-ID.tlog-proof); - for standard output."`
	Since  time.Time     `placeholder:"TIME" help:"Look from this time on, where the ledger is read without the API (RFC 3339)."`
	Until  time.Time     `placeholder:"TIME" help:"And up to this one."`
	Wait   time.Duration `default:"10s" placeholder:"DURATION" help:"How long to wait, by the API, for what is not signed yet (${default})."`

	stdout, stderr io.Writer
}

// proveAgain is how long prove waits before it asks the API again.
const proveAgain = 500 * time.Millisecond

func (c *auditProveCommand) Run(ctx context.Context) error {
	if c.stdout == nil {
		c.stdout, c.stderr = os.Stdout, os.Stderr
	}
	if c.Wait < 0 {
		return console.Misusedf("--wait %s: must be 0, for not at all, or more", c.Wait)
	}
	key, proofs, err := c.ask(ctx)
	if err != nil {
		if errors.Is(err, ledger.ErrChanged) || errors.Is(err, ledger.ErrGap) {
			return console.Verdict(console.ExitChanged, err)
		}
		return console.Verdict(console.ExitCantTell, err)
	}
	file, unsigned := FileOf(proofs)
	if len(file) == 0 {
		return console.Verdict(console.ExitCantTell, fmt.Errorf(
			"nothing of %q is signed yet: %d entries wait for the next checkpoint, %d are on their way",
			c.ID, unsigned, len(proofs.Waiting)))

	}
	if key, err = c.holdAgainst(file, key); err != nil {
		return err
	}
	if err := c.write(file, len(proofs.Items)-unsigned, key); err != nil {
		return err
	}
	if n := len(proofs.Waiting); unsigned > 0 || n > 0 {
		return console.Verdict(console.ExitCantTell, fmt.Errorf("this is not all yet: %d entries are not signed, and of %d attempts "+
			"the outcome is not in the ledger; it is on its way, or was lost by a crash", unsigned, n))

	}
	return nil
}

// holdAgainst verifies the proofs, with dev's own key where no other is given
// and that one is theirs.
func (c *auditProveCommand) holdAgainst(file []byte, key *ledger.PublicKey) (*ledger.PublicKey, error) {
	if key == nil && c.APIFlags.Dev {
		if k, err := readKey("@" + localLedger + "/key.pub"); err == nil && bytes.Contains(file, []byte("\n"+k.Origin+"/")) {
			key = &k
		}
	}
	if key == nil {
		return nil, nil
	}
	_, err := OpenProofs("what was found", file, *key)
	return key, err
}

// ask gets the proofs from the API, or makes them of the ledger itself.
func (c *auditProveCommand) ask(ctx context.Context) (*ledger.PublicKey, replay.Proofs, error) {
	if !c.APIFlags.Dev && c.given() || c.API == "" && !c.APIFlags.Dev {
		p, err := c.open(ctx)
		if err != nil {
			return nil, replay.Proofs{}, err
		}
		found, err := proofsIn(ctx, p, c.ID, c.Since, c.Until)
		return &p.key, found, err
	}
	var key *ledger.PublicKey
	if c.Key != "" {
		k, err := readKey(c.Key)
		if err != nil {
			return nil, replay.Proofs{}, err
		}
		key = &k
	}
	proofs, err := WaitForProofs(ctx, &c.APIFlags, c.ID, c.Wait)
	return key, proofs, err
}

// WaitForProofs asks the API until all is signed, or for as long as it may.
func WaitForProofs(ctx context.Context, api *reach.APIFlags, id string, wait time.Duration) (proofs replay.Proofs, err error) {
	for deadline := time.Now().Add(wait); ; {
		proofs = replay.Proofs{}
		if err := api.Get(ctx, "/api/v1/audit/proofs/"+url.PathEscape(id), &proofs); err != nil {
			return proofs, err
		}
		if _, unsigned := FileOf(proofs); unsigned == 0 && len(proofs.Waiting) == 0 || time.Now().After(deadline) {
			return proofs, nil
		}
		select {
		case <-time.After(proveAgain):
		case <-ctx.Done():
			return proofs, console.ErrInterrupted
		}
	}
}

// proofsIn looks through a ledger for a webhook-id.
func proofsIn(ctx context.Context, p place, id string, since, until time.Time) (proofs replay.Proofs, err error) {
	if until.IsZero() {
		until = time.Now()
	}
	lanes, err := p.lanes(ctx)
	if err != nil {
		return proofs, err
	}
	var all []ledger.Evidence
	spans, match := []ledger.Span{{First: since, Last: until}}, func(l ledger.Line) bool { return l.WebhookID == id }
	bar := terminal.NewProgress("looking through " + p.name)
	defer bar.End()
	for i, lane := range lanes {
		bar.Set(int64(i), int64(len(lanes)))
		found, err := ledger.Prove(ctx, p, lane, spans, match)
		if err != nil {
			return proofs, err
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		return proofs, fmt.Errorf("the ledger holds nothing under the webhook-id %q", id)
	}
	slices.SortFunc(all, ledger.ByTime)
	for _, e := range all {
		proofs.Items = append(proofs.Items, replay.Proof{Lane: e.Lane, Index: e.Index, Entry: e.Entry, Proof: string(e.Proof), Size: e.Size})
	}
	return proofs, nil
}

// FileOf puts the proofs into one file, and counts the entries that have none
// yet.
func FileOf(proofs replay.Proofs) (file []byte, unsigned int) {
	for _, p := range proofs.Items {
		if p.Proof == "" {
			unsigned++
		}
		file = append(file, p.Proof...)
	}
	return file, unsigned
}

// write writes the file, and says how to check it.
func (c *auditProveCommand) write(file []byte, entries int, key *ledger.PublicKey) error {
	name := cmp.Or(c.Output, url.PathEscape(c.ID)+".tlog-proof")
	if name == "-" {
		_, err := c.stdout.Write(file)
		return err
	}
	if err := os.WriteFile(name, file, 0o600); err != nil {
		return err
	}
	by := "KEY"
	if key != nil {
		by = key.String()
	}
	_, err := fmt.Fprintf(c.stdout, "%s proves %d entries. Anybody can check it:\n%s audit check %s --key %s\n",
		name, entries, console.OwnName(), console.ShellWord(name), console.ShellWord(by))
	return err
}
