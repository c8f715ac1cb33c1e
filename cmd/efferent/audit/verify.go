package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/handlers/replay"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/objects"
	"github.com/efferent/efferent/internal/terminal"
)

type auditVerifyCommand struct {
	bookFlags
	Dev          bool     `help:"Have the efferent dev of this machine sign what is new, and hold the ledger against that."`
	API          string   `name:"api" env:"EFFERENT_API_URL" placeholder:"URL" help:"Where that dev's API is."`
	Checkpoint   []string `placeholder:"FILE" help:"A checkpoint that you kept, which has to fit too; repeatable."`
	AllowExpired bool     `help:"Entries may be gone, from the first on, since their retention has ended; their hashes may not."`
	JSON         bool     `name:"json" help:"Answer in JSON, a line for each lane, and one for all of them."`

	stdout io.Writer
}

// verifiedLane is the answer in JSON.
type verifiedLane struct {
	Lane     string         `json:"lane"`
	Verdict  ledger.Verdict `json:"verdict"`
	Size     int64          `json:"size"`
	Anchored int64          `json:"anchored"`
	// Expired entries are there by their hashes only.
	Expired int64 `json:"expired,omitempty"`
	// FirstBad is the first entry that is not what it was, or may not be.
	FirstBad *int64 `json:"first_bad,omitempty"`
	Why      string `json:"why,omitempty"`
}

// verifiedAll is what is said of all lanes together. None of it is tampering.
type verifiedAll struct {
	Unfinished  int64 `json:"attempts_without_outcome"`
	Unannounced int64 `json:"outcomes_without_attempt"`
	Repeated    int64 `json:"repeated"`
}

func (c *auditVerifyCommand) Run(ctx context.Context) error {
	if c.stdout == nil {
		c.stdout = os.Stdout
	}
	held, err := c.held(ctx)
	if err != nil {
		return console.Verdict(console.ExitCantTell, err)
	}
	p, err := c.open(ctx)
	if err != nil {
		return console.Verdict(console.ExitCantTell, err)
	}
	lanes, err := p.lanes(ctx)
	if err == nil && len(lanes) == 0 {
		err = fmt.Errorf("%s holds no checkpoint: nothing is signed yet, or it is no ledger", p.name)
	}
	if err != nil {
		return console.Verdict(console.ExitCantTell, err)
	}
	return c.lanes(ctx, p, lanes, held)
}

// lanes verifies lane by lane; the worst verdict is the command's.
func (c *auditVerifyCommand) lanes(ctx context.Context, p place, lanes []string, held map[string][]ledger.Signed) error {
	bar := terminal.NewProgress("")
	defer bar.End()
	v := ledger.Verifier{Reader: p, Key: p.key, Acts: ledger.NewActs(), Expires: c.AllowExpired,
		Progress: func(_ string, done, of int64) { bar.Set(done, of) }}
	code := 0
	for _, lane := range lanes {
		bar.Say(lane)
		signed, err := p.kept.All(ctx, lane)
		report := ledger.Report{Lane: lane, Verdict: ledger.CantTell, FirstBad: -1, Why: err}
		if err == nil {
			report = v.Lane(ctx, lane, append(signed, held[lane]...))
		}
		delete(held, lane)
		switch {
		case report.Verdict == ledger.Changed:
			code = console.ExitChanged
		case report.Verdict == ledger.CantTell && code == 0:
			code = console.ExitCantTell
		}
		bar.Aside()
		if err := c.show(report); err != nil {
			return err
		}
	}
	for lane := range held {
		return console.Verdict(console.ExitChanged, fmt.Errorf("%s is not there at all, and you hold a checkpoint of it", lane))
	}
	if err := c.showAll(v.Acts); err != nil {
		return err
	}
	if code != 0 {
		return console.Verdict(code, errors.New("the ledger is not sound"))
	}
	return nil
}

func (c *auditVerifyCommand) showAll(a *ledger.Acts) (err error) {
	if c.JSON {
		return json.NewEncoder(c.stdout).Encode(verifiedAll{a.Unfinished(), a.Unannounced(), a.Repeated})
	}
	_, err = fmt.Fprintf(c.stdout,
		"%d attempts without an outcome, %d outcomes without an attempt, %d entries repeated: none of these is tampering\n",
		a.Unfinished(), a.Unannounced(), a.Repeated)
	return err
}

func (c *auditVerifyCommand) show(r ledger.Report) error {
	line := verifiedLane{Lane: r.Lane, Verdict: r.Verdict, Size: r.Size, Anchored: r.Anchored, Expired: r.Expired}
	if r.FirstBad >= 0 {
		line.FirstBad = &r.FirstBad
	}
	if r.Why != nil {
		line.Why = r.Why.Error()
	}
	if c.JSON {
		return json.NewEncoder(c.stdout).Encode(line)
	}
	text := fmt.Sprintf("%s: %s, %d entries, %d signed", r.Lane, r.Verdict, r.Size, r.Anchored)
	if r.Expired > 0 {
		text += fmt.Sprintf(", %d expired", r.Expired)
	}
	if r.FirstBad >= 0 {
		text += fmt.Sprintf("; the first bad entry is %d", r.FirstBad)
	}
	if line.Why != "" {
		text += ": " + line.Why
	}
	_, err := fmt.Fprintln(c.stdout, terminal.Line(text))
	return err
}

// held are the checkpoints that the caller kept, and what dev signs now, by
// lane.
func (c *auditVerifyCommand) held(ctx context.Context) (map[string][]ledger.Signed, error) {
	all := map[string][]ledger.Signed{}
	if c.Dev {
		var answer replay.Checkpoints
		if err := (&reach.APIFlags{Dev: true, API: c.API}).Get(ctx, "/api/v1/audit/checkpoints", &answer); err != nil {
			return nil, err
		}
		for _, item := range answer.Items {
			all[item.Lane] = append(all[item.Lane], ledger.Signed{Path: "what dev signed of " + item.Lane, Note: []byte(item.Note)})
		}
	}
	for _, file := range c.Checkpoint {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--checkpoint: %w", err)
		}
		lane := ledger.LaneOf(b)
		if lane == "" {
			return nil, fmt.Errorf("--checkpoint %s: it is no checkpoint of a lane", file)
		}
		all[lane] = append(all[lane], ledger.Signed{Path: file, Note: b})
	}
	return all, nil
}

type auditConsistencyCommand struct {
	Old string `arg:"" placeholder:"OLD" help:"An older checkpoint."`
	New string `arg:"" placeholder:"NEW" help:"A newer one of the same lane."`
	Dir string `default:"efferent.ledger" placeholder:"DIR" help:"The ledger's directory (${default})."`
	Key string `required:"" placeholder:"KEY" help:"The ledger's public key, or @FILE that holds it."`

	stdout io.Writer
}

func (c *auditConsistencyCommand) Run(ctx context.Context) error {
	if c.stdout == nil {
		c.stdout = os.Stdout
	}
	key, err := readKey(c.Key)
	if err != nil {
		return console.Verdict(console.ExitCantTell, err)
	}
	var both [2]ledger.Checkpoint
	var lanes [2]string
	for i, file := range []string{c.Old, c.New} {
		b, err := os.ReadFile(file)
		if err != nil {
			return console.Verdict(console.ExitCantTell, err)
		}
		lanes[i] = ledger.LaneOf(b)
		verifier, err := key.Lane(lanes[i])
		if err != nil {
			return console.Verdict(console.ExitCantTell, err)
		}
		if both[i], err = ledger.OpenCheckpoint(b, verifier); err != nil {
			return console.Verdict(console.ExitChanged, fmt.Errorf("%s: %w", file, err))
		}
	}
	kept := ledger.Exported{Objects: objects.NewDirectory(c.Dir)}
	path, err := ledger.TilesOf(kept, lanes[0]).Consistent(ctx, both[0], both[1])
	if err == nil {
		err = ledger.CheckConsistent(both[0], both[1], path)
	}
	switch {
	case errors.Is(err, ledger.ErrChanged):
		return console.Verdict(console.ExitChanged, err)
	case err != nil:
		return console.Verdict(console.ExitCantTell, err)
	}
	_, err = fmt.Fprintf(c.stdout, "sound: the %d entries of %s that were signed are the beginning of the %d\n",
		both[0].Size, both[0].Origin, both[1].Size)
	return err
}
