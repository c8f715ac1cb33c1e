// Package audit is efferent audit: the ledger read, verified, proved and copied, in a
// directory or where a stack keeps it.
package audit

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/terminal"
)

// Command is efferent audit.
type Command struct {
	Verify      auditVerifyCommand      `cmd:"" help:"Verify a whole ledger. Exit 1: it was changed; 2: can't tell."`
	Consistency auditConsistencyCommand `cmd:"" help:"Verify that one checkpoint goes on from an older one."`
	Prove       auditProveCommand       `cmd:"" help:"${audit_prove}"`
	Check       auditCheckCommand       `cmd:"" help:"Check a file of proofs offline: that their entries are in the ledger."`
	Key         auditKeyCommand         `cmd:"" help:"Print the ledger's public key, as the other commands take it."`
	Export      auditExportCommand      `cmd:"" help:"Copy the ledger, as it was signed last, into a directory that others' tools can read."`
}

type auditCheckCommand struct {
	File string `arg:"" placeholder:"FILE" help:"A proof, or several (.tlog-proof); - for standard input."`
	Key  string `required:"" placeholder:"KEY" help:"The ledger's public key, or @FILE that holds it."`
	JSON bool   `name:"json" help:"Answer in JSON."`

	stdin  io.Reader
	stdout io.Writer
}

// checked is the answer in JSON.
type checked struct {
	Lane  string          `json:"lane"`
	Index int64           `json:"index"`
	Size  int64           `json:"size"`
	Entry json.RawMessage `json:"entry"`
}

func (c *auditCheckCommand) Run() error {
	if c.stdout == nil {
		c.stdin, c.stdout = os.Stdin, os.Stdout
	}
	file, key, err := c.read()
	if err != nil {
		return console.Verdict(console.ExitCantTell, err)
	}
	all, err := OpenProofs(c.File, file, key)
	if err != nil {
		return err
	}
	for _, p := range all {
		if c.JSON {
			err = json.NewEncoder(c.stdout).Encode(p)
		} else {
			_, err = fmt.Fprintf(c.stdout, "sound: entry %d of the %d that are signed in %s is\n%s\n", p.Index, p.Size,
				ledger.OriginOf(key.Origin, p.Lane), terminal.Line(string(p.Entry)))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// OpenProofs verifies a file of proofs, all of them.
func OpenProofs(name string, file []byte, key ledger.PublicKey) ([]checked, error) {
	proofs, err := ledger.ParseProofs(file)
	if err != nil {
		return nil, console.Verdict(console.ExitCantTell, fmt.Errorf("%s: %w", name, err))
	}
	all := make([]checked, len(proofs))
	for i, p := range proofs {
		lane, ok := strings.CutPrefix(p.Origin(), key.Origin+"/")
		if !ok || !ledger.IsLane(lane) {
			return nil, console.Verdict(console.ExitCantTell, fmt.Errorf("%s: proof %d is of the log %q, and the key of the ledger %q", name, i+1,
				p.Origin(),
				key.Origin))

		}
		verifier, err := key.Lane(lane)
		if err != nil {
			return nil, console.Verdict(console.ExitCantTell, err)
		}
		signed, err := p.Verify(verifier)
		if err != nil {
			return nil, console.Verdict(console.ExitChanged, fmt.Errorf("%s: proof %d: %w", name, i+1, err))
		}
		all[i] = checked{lane, p.Index, signed.Size, p.Entry}
	}
	return all, nil
}

func (c *auditCheckCommand) read() (file []byte, key ledger.PublicKey, err error) {
	if key, err = readKey(c.Key); err != nil {
		return nil, key, err
	}
	if c.File == "-" {
		file, err = io.ReadAll(c.stdin)
	} else {
		file, err = os.ReadFile(c.File)
	}
	return file, key, err
}

// readKey reads what --key gives.
func readKey(text string) (key ledger.PublicKey, err error) {
	if name, ok := strings.CutPrefix(text, "@"); ok {
		b, err := os.ReadFile(name)
		if err != nil {
			return key, console.Misusedf("--key: %w", err)
		}
		text = string(b)
	}
	if key, err = ledger.ParsePublicKey(text); err != nil {
		return key, console.Misusedf("--key: %w", err)
	}
	return key, nil
}
