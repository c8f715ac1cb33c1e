package audit

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"github.com/efferent/efferent/cmd/efferent/console"
	"github.com/efferent/efferent/cmd/efferent/reach"
	awsdynamodb "github.com/efferent/efferent/internal/aws/dynamodb"
	awskms "github.com/efferent/efferent/internal/aws/kms"
	awss3 "github.com/efferent/efferent/internal/aws/s3"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/objects"
)

// localLedger is where dev keeps its ledger unless it is told otherwise.
const localLedger = "efferent.ledger"

// bookFlags say where a ledger lies, and by which key it is held against.
type bookFlags struct {
	Dir               string `placeholder:"DIR" help:"The ledger's directory, dev's or a copy (efferent.ledger)."`
	Outputs           string `placeholder:"FILE" help:"A stack's ledger: what cdk deploy --outputs-file wrote."`
	LedgerTable       string `env:"LEDGER_TABLE" placeholder:"NAME" help:"A stack's ledger, in place of --outputs: the output LedgerTable,"`
	LedgerBucket      string `env:"LEDGER_BUCKET" placeholder:"NAME" help:"LedgerBucket,"`
	CheckpointsBucket string `env:"CHECKPOINTS_BUCKET" placeholder:"NAME" help:"and CheckpointsBucket."`
	Lanes             int    `env:"EFFERENT_AUDIT_LANES" default:"${audit_lanes}" placeholder:"N" help:"How many lanes it has (${default})."`
	EndpointURL       string `name:"endpoint-url" env:"AWS_ENDPOINT_URL" placeholder:"URL" help:"${endpoint_url}"`
	Key               string `placeholder:"KEY" help:"The ledger's public key, or @FILE that holds it (that which lies with the ledger)."`

	// The outputs name the key of KMS, and the ledger.
	kmsKey, origin string
}

// given reports whether flags or the environment say where the ledger is.
func (f *bookFlags) given() bool { return f.Dir != "" || f.Outputs != "" || f.LedgerTable != "" }

// place is a ledger that is read where it lies.
type place struct {
	ledger.Reader
	// kept is where the checkpoints are, tiles where the tiles and entries.
	kept  ledger.Kept
	tiles ledger.KeptObjects
	lanes func(ctx context.Context) ([]string, error)
	// name is for people.
	name string
	key  ledger.PublicKey
}

// Newest returns a lane's newest signed checkpoint.
func (p place) Newest(ctx context.Context, lane string) ([]byte, error) {
	return p.kept.Newest(ctx, lane)
}

// open finds the ledger and its key.
func (f *bookFlags) open(ctx context.Context) (p place, err error) {
	if f.Dir == "" && (f.Outputs != "" || f.LedgerTable != "") {
		p, err = f.openStack(ctx)
	} else {
		p, err = f.openDirectory()
	}
	return p, err
}

func (f *bookFlags) openDirectory() (p place, err error) {
	dir := cmp.Or(f.Dir, localLedger)
	if _, err := os.Stat(dir); err != nil {
		return p, fmt.Errorf("the ledger's directory: %w; say with --dir or --outputs where the ledger is", err)
	}
	exported := ledger.Exported{Objects: objects.NewDirectory(dir)}
	p = place{Reader: exported, kept: ledger.Kept(exported), tiles: exported.Objects, lanes: exported.Lanes, name: dir}
	p.key, err = readKey(cmp.Or(f.Key, "@"+dir+"/key.pub"))
	return p, err
}

// openStack is the ledger of a stack, read with the caller's own credentials.
func (f *bookFlags) openStack(ctx context.Context) (p place, err error) {
	if err := f.readOutputs(); err != nil {
		return p, err
	}
	if f.LedgerTable == "" || f.LedgerBucket == "" || f.CheckpointsBucket == "" {
		return p, console.Misusedf("a stack's ledger is in a table and two buckets: give all of --ledger-table, --ledger-bucket and " +
			"--checkpoints-bucket, or --outputs")
	}
	config, err := (&reach.AWSFlags{EndpointURL: f.EndpointURL}).Config(ctx)
	if err != nil {
		return p, err
	}
	p = StackLedger(config, f.LedgerTable, f.LedgerBucket, f.CheckpointsBucket, f.Lanes)
	p.key, err = f.stackKey(ctx, config)
	return p, err
}

// StackLedger reads the ledger of a stack.
func StackLedger(config aws.Config, table, tiles, checkpoints string, lanes int) place {
	client := awss3.NewClient(config)
	bucket := &awss3.Objects{API: client, Bucket: tiles}
	p := place{Reader: struct {
		*awsdynamodb.Ledger
		*awss3.Objects
	}{&awsdynamodb.Ledger{API: dynamodb.NewFromConfig(config), Table: table}, bucket},
		kept: ledger.Kept{Objects: &awss3.Objects{API: client, Bucket: checkpoints}}, tiles: bucket, name: table}
	p.lanes = func(ctx context.Context) (all []string, err error) { return lanesOf(ctx, p, lanes) }
	return p
}

type auditKeyCommand struct{ bookFlags }

// Run prints the key that lies with the ledger, or that KMS has.
func (c *auditKeyCommand) Run(ctx context.Context) error {
	p, err := c.open(ctx)
	if err != nil {
		return console.Verdict(console.ExitCantTell, err)
	}
	_, err = fmt.Println(p.key)
	return err
}

// lanesOf are the lanes that a stack has, and further ones, from when there
// were more, up to the first empty one. Of those that it has, one may be empty.
func lanesOf(ctx context.Context, p place, lanes int) (all []string, err error) {
	for n := range ledger.MaxLanes {
		lane := ledger.LaneName(n)
		signed, err := p.Newest(ctx, lane)
		if err != nil {
			return nil, err
		}
		head, err := p.Head(ctx, lane)
		if err != nil {
			return nil, err
		}
		switch {
		case signed != nil || head.Size > 0:
			all = append(all, lane)
		case n >= lanes:
			return all, nil
		}
	}
	return all, nil
}

// readOutputs fills in what --outputs says, {"<stack>": {"<output>": "…"}}.
func (f *bookFlags) readOutputs() error {
	if f.Outputs == "" {
		return nil
	}
	b, err := os.ReadFile(f.Outputs)
	if err != nil {
		return fmt.Errorf("--outputs: %w", err)
	}
	var stacks map[string]map[string]string
	if err := json.Unmarshal(b, &stacks); err != nil {
		return fmt.Errorf("--outputs %s: it is not what cdk deploy --outputs-file writes: %w", f.Outputs, err)
	}
	found := 0
	for _, outputs := range stacks {
		if outputs["LedgerTable"] == "" {
			continue
		}
		found++
		f.LedgerTable, f.LedgerBucket, f.CheckpointsBucket = outputs["LedgerTable"], outputs["LedgerBucket"], outputs["CheckpointsBucket"]
		f.kmsKey, f.origin = outputs["LedgerKey"], outputs["LedgerOrigin"]
	}
	if found != 1 {
		return fmt.Errorf("--outputs %s: %d stacks in it have a ledger; it takes one", f.Outputs, found)
	}
	return nil
}

// stackKey is --key, or what KMS says.
func (f *bookFlags) stackKey(ctx context.Context, config aws.Config) (key ledger.PublicKey, err error) {
	switch {
	case f.Key != "":
		return readKey(f.Key)
	case f.kmsKey == "" || f.origin == "":
		return key, console.Misusedf("by which key? Say --key KEY, or --outputs, which names the key in KMS")
	}
	public, err := (&awskms.Key{API: kms.NewFromConfig(config), ID: f.kmsKey}).Public(ctx)
	return ledger.PublicKey{Origin: f.origin, Key: public}, err
}
