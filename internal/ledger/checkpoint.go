package ledger

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// ErrUnsigned: a checkpoint or a proof is not signed by the key that it is held
// against.
var ErrUnsigned = errors.New("not signed by this key")

// Checkpoint is what is signed of a tree (c2sp.org/tlog-checkpoint).
type Checkpoint struct {
	// Origin names the log: that of the ledger, a slash, and the lane.
	Origin string
	Size   int64
	Root   Hash
}

// OriginOf is the origin of a lane of the ledger of that origin, which is a URL
// without a scheme.
func OriginOf(origin, lane string) string { return origin + "/" + lane }

// Text is what is signed.
func (c Checkpoint) Text() string { return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, c.Root) }

// parseCheckpoint reads the text of a signed note. Lines that follow, which
// others may add, are left aside.
func parseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.SplitN(text, "\n", 4)
	if len(lines) < 4 || lines[0] == "" {
		return c, errors.New("a checkpoint has the lines origin, size and root")
	}
	c.Origin = lines[0]
	if c.Size, err = parseIndex(lines[1]); err != nil {
		return c, err
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return c, fmt.Errorf("its root %.60q is no hash in base64", lines[2])
	}
	c.Root = Hash(root)
	return c, nil
}

// Sign makes the checkpoint a signed note (c2sp.org/signed-note), with as many
// signatures as there are signers.
func (c Checkpoint) Sign(signers ...note.Signer) ([]byte, error) {
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signers...)
	if err != nil {
		return nil, fmt.Errorf("sign the checkpoint of %s at %d: %w", c.Origin, c.Size, err)
	}
	return signed, nil
}

// OpenCheckpoint reads a signed checkpoint of the log that key has the name of.
// Its error is ErrUnsigned where key did not sign it, or where it is of another
// log; other signatures are left aside.
func OpenCheckpoint(signed []byte, key note.Verifier) (Checkpoint, error) {
	n, err := note.Open(signed, note.VerifierList(key))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("the checkpoint is %w, %s+%08x: %w", ErrUnsigned, key.Name(), key.KeyHash(), err)
	}
	for _, s := range n.Sigs {
		// The library reads base64 whose last bits are not zero, too.
		if _, err := base64.StdEncoding.Strict().DecodeString(s.Base64); err != nil {
			return Checkpoint{}, fmt.Errorf("the checkpoint of %s has a malformed signature: %w: %w", key.Name(), ErrUnsigned, err)
		}
	}
	c, err := parseCheckpoint(n.Text)
	if err == nil && c.Origin != key.Name() {
		err = fmt.Errorf("it is of %q: %w", c.Origin, ErrUnsigned)
	}
	if err != nil {
		return Checkpoint{}, fmt.Errorf("the checkpoint of %s: %w", key.Name(), err)
	}
	return c, nil
}

// LaneOf is the lane that a checkpoint says it is of, "" for none; not verified.
func LaneOf(signed []byte) string {
	c, err := parseCheckpoint(string(signed))
	if err != nil {
		return ""
	}
	if lane := c.Origin[strings.LastIndexByte(c.Origin, '/')+1:]; IsLane(lane) {
		return lane
	}
	return ""
}

// SigningKey signs with Ed25519 (RFC 8032), wherever the private key is.
type SigningKey interface {
	Public(ctx context.Context) (ed25519.PublicKey, error)
	// Sign signs a message, not its hash.
	Sign(ctx context.Context, message []byte) ([]byte, error)
}

// Signer signs notes as the log of some origin, and verifies them.
type Signer struct {
	note.Verifier
	sign func(text []byte) ([]byte, error)
}

// Sign signs the text of a note.
func (s *Signer) Sign(text []byte) ([]byte, error) { return s.sign(text) }

// NewSigner returns a signer for the log of that origin, that signs while ctx
// lasts.
func NewSigner(ctx context.Context, origin string, key SigningKey) (*Signer, error) {
	public, err := key.Public(ctx)
	if err != nil {
		return nil, err
	}
	v, err := NewVerifier(origin, public)
	if err != nil {
		return nil, err
	}
	return &Signer{v, func(text []byte) ([]byte, error) { return key.Sign(ctx, text) }}, nil
}

// NewVerifier verifies notes of the log of that origin.
func NewVerifier(origin string, key ed25519.PublicKey) (note.Verifier, error) {
	text, err := note.NewEd25519VerifierKey(origin, key)
	if err != nil {
		return nil, fmt.Errorf("a verifier of %q: %w", origin, err)
	}
	return note.NewVerifier(text)
}

// PublicKey is a ledger's public key: one for all of its lanes.
type PublicKey struct {
	// Origin is the ledger's.
	Origin string
	Key    ed25519.PublicKey
}

// String is the key as people hand it on: a verifier key of C2SP signed-note,
// named by the ledger's origin.
func (k PublicKey) String() string {
	text, err := note.NewEd25519VerifierKey(k.Origin, k.Key)
	if err != nil {
		return err.Error()
	}
	return text
}

// ParsePublicKey reads a verifier key.
func ParsePublicKey(text string) (PublicKey, error) {
	text = strings.TrimSpace(text)
	if _, err := note.NewVerifier(text); err != nil {
		return PublicKey{}, fmt.Errorf("a public key looks like example.com/ledger+0123abcd+AbCd…: %w", err)
	}
	// The origin holds no plus sign, the base64 may.
	parts := strings.SplitN(text, "+", 3)
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 1+ed25519.PublicKeySize {
		return PublicKey{}, errors.New("the public key is not Ed25519's")
	}
	return PublicKey{parts[0], key[1:]}, nil
}

// Lane verifies the notes of one lane.
func (k PublicKey) Lane(lane string) (note.Verifier, error) {
	return NewVerifier(OriginOf(k.Origin, lane), k.Key)
}

// Policy is the key as a trust policy for others' tools (c2sp.org/tlog-policy):
// each lane is a log, and no witness is asked for.
func (k PublicKey) Policy(lanes []string) ([]byte, error) {
	var b bytes.Buffer
	for _, lane := range slices.Sorted(slices.Values(lanes)) {
		text, err := note.NewEd25519VerifierKey(OriginOf(k.Origin, lane), k.Key)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "log %s\n", text)
	}
	b.WriteString("quorum none\n")
	return b.Bytes(), nil
}
