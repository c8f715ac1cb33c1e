package demo

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/efferent/efferent/cmd/efferent/audit"
	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	"github.com/efferent/efferent/internal/ledger"
)

// proofWait is how long the demo waits for its last entries.
const proofWait = 8 * time.Second

// prove asks for the proofs of all that was sent, checks them, and leaves them
// in a file. It returns the command that checks them again.
func (d *demo) prove(ctx context.Context) (command string, entries int, err error) {
	text, err := d.local.Kept.Get(ctx, "key.pub")
	if err != nil {
		return "", 0, err
	}
	key, err := ledger.ParsePublicKey(string(text))
	if err != nil {
		return "", 0, err
	}
	var file []byte
	for _, a := range d.acts {
		proofs, err := audit.WaitForProofs(ctx, &reach.APIFlags{API: d.local.HTTPURL, Dev: true}, a.name(), proofWait)
		if err != nil {
			return "", 0, err
		}
		some, unsigned := audit.FileOf(proofs)
		file = append(file, some...)
		// Each attempt was announced, and its outcome told.
		if want := 2 * len(*a.seen()); len(proofs.Items) != want || unsigned > 0 || len(proofs.Waiting) > 0 {
			d.wrong = append(d.wrong, fmt.Sprintf("%s: the ledger proves %d entries, promised are %d", a.name(), len(proofs.Items)-unsigned, want))
		}
	}
	proved, err := audit.OpenProofs("the demo's proofs", file, key)
	if err != nil {
		return "", 0, err
	}
	name, err := keepProofs(file)
	return fmt.Sprintf("%s audit check %s --key %s", console.OwnName(), console.ShellWord(name), console.ShellWord(key.String())),
		len(proved), err
}

// keepProofs leaves proofs where they are out of the way.
func keepProofs(file []byte) (string, error) {
	f, err := os.CreateTemp("", "efferent-demo-*.tlog-proof")
	if err != nil {
		return "", err
	}
	if _, err := f.Write(file); err != nil {
		return "", err
	}
	return f.Name(), f.Close()
}
