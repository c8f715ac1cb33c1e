// Package rotation changes secrets that sign webhooks while others may be
// changing them too, and makes new keys for them.
//
// A secret has versions, which never change, and labels, each of which is on one
// version at a time. What a secret is, is the version with the label Current. A
// change is made of that one, kept as a version of its own, and given the label in
// that one's place: where another was faster, that is refused, and the change is
// made again, of what the other one made.
package rotation

import (
	"context"
	"errors"
)

// The labels that Secrets Manager moves by itself ("Lambda rotation functions" in
// its user guide): who loses Current has Previous, and Pending is on the version
// that a scheduled rotation makes.
const (
	Current  = "AWSCURRENT"
	Previous = "AWSPREVIOUS"
	Pending  = "AWSPENDING"
)

var (
	// ErrNone says that there is no such secret, or no version of it that is asked
	// for.
	ErrNone = errors.New("there is no such secret, or it has no such version")
	// ErrFaster says that somebody else has changed the secret meanwhile.
	ErrFaster = errors.New("somebody else has changed it meanwhile")
	// ErrFull says that a text is longer than MaxText.
	ErrFull = errors.New("use another one")
)

// Version is one value of a secret. It shows itself without the value wherever it
// is printed.
type Version struct {
	// ID is 32 to 64 characters, as those of a UUID.
	ID   string
	Text string
}

// String keeps the value out of texts and logs.
func (v Version) String() string { return v.ID }

// GoString keeps the value out of %#v.
func (v Version) GoString() string { return v.ID }

// Versions are those of secrets, by their names or ARNs. What a method says to be
// done is durable; after an error that is none of these it may have been done all
// the same. It may be used by many goroutines at once.
type Versions interface {
	// ReadVersion gives the version that has a label; ErrNone also where that one
	// has no text.
	ReadVersion(ctx context.Context, secret, label string) (Version, error)
	// AddVersion keeps a version, with labels that are taken from whoever has them.
	// Current stays where it is, unless there is no version yet: the first one gets
	// it. To add a version again changes nothing. ErrNone: there is no such secret.
	// ErrFaster: there is a version of this ID with another text.
	AddVersion(ctx context.Context, secret string, v Version, labels ...string) error
	// MoveLabel takes a label from one version and gives it to another, in one step;
	// to none, "", it only takes it. ErrFaster: the one has not got it. From "" it
	// gives one that nobody has.
	MoveLabel(ctx context.Context, secret, label, from, to string) error
}

// Store is what changing a secret takes, and making it.
type Store interface {
	Versions
	// CreateSecret makes a secret whose first version, the current one, is v. To
	// make it again changes nothing. ErrFaster: there is one. ErrNone: it is named
	// by an ARN, and so it would have to be there.
	CreateSecret(ctx context.Context, secret string, v Version) error
}
