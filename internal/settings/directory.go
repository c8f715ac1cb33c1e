package settings

import (
	"errors"

	"github.com/efferent/efferent/internal/ledger"
)

// Directory is how the directory Lambda works, and where it finds its queue and its
// table.
type Directory struct {
	AuditQueueURL, DirectoryTable string
	// TokenSecret and TenantClaim are as Endpoints has them.
	TokenSecret, TenantClaim string
	// MaxTemplates is how many templates a tenant may have.
	MaxTemplates int
	AuditLanes   int
	Redaction
}

// How many templates a tenant has at most, where it is not said, and at most of that:
// who makes one reads how many there are.
const (
	DefaultMaxTemplates = 200
	MostTemplates       = 1000
)

func (r *reader) maxTemplates() int {
	return r.number(MaxTemplates, DefaultMaxTemplates, 1, MostTemplates)
}

// ReadDirectory reads them; both places are needed.
func ReadDirectory(getenv func(string) string) (Directory, error) {
	r := reader{getenv: getenv}
	s := Directory{
		AuditQueueURL:  r.needed(AuditQueueURL),
		DirectoryTable: r.needed(DirectoryTable),
		TokenSecret:    getenv(TokenSecret),
		TenantClaim:    getenv(TenantClaim),
		MaxTemplates:   r.maxTemplates(),
		AuditLanes:     r.number(AuditLanes, ledger.DefaultLanes, 1, 1000),
		Redaction:      r.redaction(),
	}
	return s, errors.Join(r.errs...)
}
