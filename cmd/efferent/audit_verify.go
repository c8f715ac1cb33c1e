package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/objects"
)

type auditVerifyCommand struct {
	Dir        string   `default:"efferent.ledger" placeholder:"DIR" help:"The ledger's directory, dev's or a copy (${default})."`
	Key        string   `placeholder:"KEY" help:"The ledger's public key, or @FILE that holds it (DIR/key.pub)."`
	Checkpoint []string `placeholder:"FILE" help:"A checkpoint that you kept, which has to fit too; repeatable."`
	JSON       bool     `name:"json" help:"Answer in JSON, a line for each lane."`

	stdout io.Writer
}

// verifiedLane is the answer in JSON.
type verifiedLane struct {
	Lane     string         `json:"lane"`
	Verdict  ledger.Verdict `json:"verdict"`
	Size     int64          `json:"size"`
	Anchored int64          `json:"anchored"`
	// FirstBad is the first entry that is not what it was, or may not be.
	FirstBad *int64 `json:"first_bad,omitempty"`
	Why      string `json:"why,omitempty"`
}

func (c *auditVerifyCommand) Run(ctx context.Context) error {
	if c.stdout == nil {
		c.stdout = os.Stdout
	}
	if c.Key == "" {
		c.Key = "@" + c.Dir + "/key.pub"
	}
	key, err := readKey(c.Key)
	if err != nil {
		return verdictError{exitCantTell, err}
	}
	held, err := c.held()
	if err != nil {
		return verdictError{exitCantTell, err}
	}
	kept := ledger.Exported{Objects: objects.NewDirectory(c.Dir)}
	lanes, err := kept.Lanes(ctx)
	if err == nil && len(lanes) == 0 {
		err = fmt.Errorf("%s holds no checkpoint: nothing is signed yet, or it is no ledger's directory", c.Dir)
	}
	if err != nil {
		return verdictError{exitCantTell, err}
	}
	return c.lanes(ctx, ledger.Verifier{Reader: kept, Key: key, Acts: ledger.NewActs()}, lanes, held)
}

// lanes verifies lane by lane; the worst verdict is the command's.
func (c *auditVerifyCommand) lanes(ctx context.Context, v ledger.Verifier, lanes []string, held map[string][]ledger.Signed) error {
	kept := ledger.Kept{Objects: v.Reader.(ledger.Exported).Objects}
	code := 0
	for _, lane := range lanes {
		signed, err := kept.All(ctx, lane)
		report := ledger.Report{Lane: lane, Verdict: ledger.CantTell, FirstBad: -1, Why: err}
		if err == nil {
			report = v.Lane(ctx, lane, append(signed, held[lane]...))
		}
		delete(held, lane)
		switch {
		case report.Verdict == ledger.Changed:
			code = exitChanged
		case report.Verdict == ledger.CantTell && code == 0:
			code = exitCantTell
		}
		if err := c.show(report); err != nil {
			return err
		}
	}
	for lane := range held {
		return verdictError{exitChanged, fmt.Errorf("%s is not there at all, and you hold a checkpoint of it", lane)}
	}
	if !c.JSON {
		fmt.Fprintf(c.stdout, "%d attempts without an outcome, %d outcomes without an attempt, %d entries repeated: none of these is tampering\n",
			v.Acts.Unfinished(), v.Acts.Unannounced(), v.Acts.Repeated)
	}
	if code != 0 {
		return verdictError{code, errors.New("the ledger is not sound")}
	}
	return nil
}

func (c *auditVerifyCommand) show(r ledger.Report) error {
	line := verifiedLane{Lane: r.Lane, Verdict: r.Verdict, Size: r.Size, Anchored: r.Anchored}
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
	if r.FirstBad >= 0 {
		text += fmt.Sprintf("; the first bad entry is %d", r.FirstBad)
	}
	if line.Why != "" {
		text += ": " + line.Why
	}
	_, err := fmt.Fprintln(c.stdout, text)
	return err
}

// held are the checkpoints that the caller kept, by lane.
func (c *auditVerifyCommand) held() (map[string][]ledger.Signed, error) {
	all := map[string][]ledger.Signed{}
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
		return verdictError{exitCantTell, err}
	}
	var both [2]ledger.Checkpoint
	var lanes [2]string
	for i, file := range []string{c.Old, c.New} {
		b, err := os.ReadFile(file)
		if err != nil {
			return verdictError{exitCantTell, err}
		}
		lanes[i] = ledger.LaneOf(b)
		verifier, err := key.Lane(lanes[i])
		if err != nil {
			return verdictError{exitCantTell, err}
		}
		if both[i], err = ledger.OpenCheckpoint(b, verifier); err != nil {
			return verdictError{exitChanged, fmt.Errorf("%s: %w", file, err)}
		}
	}
	kept := ledger.Exported{Objects: objects.NewDirectory(c.Dir)}
	path, err := ledger.TilesOf(kept, lanes[0]).Consistent(ctx, both[0], both[1])
	if err == nil {
		err = ledger.CheckConsistent(both[0], both[1], path)
	}
	switch {
	case errors.Is(err, ledger.ErrChanged):
		return verdictError{exitChanged, err}
	case err != nil:
		return verdictError{exitCantTell, err}
	}
	_, err = fmt.Fprintf(c.stdout, "sound: the %d entries of %s that were signed are the beginning of the %d\n",
		both[0].Size, both[0].Origin, both[1].Size)
	return err
}
