package template

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Head is what a name stands for: the versions that there are, and which is current.
type Head struct {
	Tenant string `json:"tenant"`
	Name   string `json:"name"`
	// Current is the version that messages get that pin none; 0 of a template that was
	// deleted.
	Current int64 `json:"current"`
	// Last is the newest version there ever was: no number is used twice, so that a
	// version is always the same.
	Last int64 `json:"last"`
	// Versions are those that there are, oldest first; none of one that was deleted.
	Versions []Kept `json:"versions"`
	// Revision counts the writes of the head, from 1.
	Revision int64     `json:"revision"`
	Updated  time.Time `json:"updated"`
}

// Kept is a version that there is.
type Kept struct {
	Version int64     `json:"version"`
	Created time.Time `json:"created"`
}

// Has reports whether there is a version.
func (h Head) Has(version int64) bool {
	return slices.ContainsFunc(h.Versions, func(k Kept) bool { return k.Version == version })
}

// Deleted reports whether nothing is left of the template but its numbers.
func (h Head) Deleted() bool { return h.Current == 0 }

var (
	// ErrNotFound: the tenant has no such template, or no such version of it.
	ErrNotFound = errors.New("no such template")
	// ErrTooMany: the tenant has as many templates as it may have.
	ErrTooMany = errors.New("the tenant has as many templates as it may have")
	// ErrChanged: somebody else wrote the head meanwhile.
	ErrChanged = errors.New("the template was changed meanwhile")
)

// Getter gives templates. It is used by many goroutines at once, and reads what was
// written before.
type Getter interface {
	// TemplateHead returns a head, that of a deleted template too. Its error wraps ErrNotFound
	// where there is none; any other may pass.
	TemplateHead(ctx context.Context, tenant, name string) (Head, error)
	// Template returns a version. Its errors are those of TemplateHead.
	Template(ctx context.Context, tenant, name string, version int64) (Template, error)
}

// Store keeps templates.
type Store interface {
	Getter
	// TemplateHeads returns a tenant's in the order of their names, after a name, most of them
	// at most; deleted ones are left out, and more says that there may be others.
	TemplateHeads(ctx context.Context, tenant, after string, most int) (all []Head, more bool, err error)
	// WriteTemplate keeps a head in the place of the one with the revision before, 0 for none,
	// together with a version of it unless add is nil: both or nothing. Its error wraps
	// ErrChanged where another revision is there. After another one both may have been
	// kept.
	WriteTemplate(ctx context.Context, h Head, add *Template) error
	// MakeTemplate is WriteTemplate of a head that was not there, or was deleted, with a
	// version, if its tenant has fewer than most that are not. However many are made at
	// once there are no more. Its error may wrap ErrTooMany too.
	MakeTemplate(ctx context.Context, h Head, add Template, most int) error
	// DropVersions removes versions that no head tells of any more. One that is not there is
	// removed already.
	DropVersions(ctx context.Context, tenant, name string, versions []int64) error
}
