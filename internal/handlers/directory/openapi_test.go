package directory

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/api/apitest"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/suppression"
)

func TestDocumentHasEveryRoute(t *testing.T) {
	t.Parallel()
	apitest.Routes(t, new(Handler).Serves(), func(path string) bool {
		kind, _, _ := strings.Cut(strings.TrimPrefix(path, onTenant), "/")
		return strings.HasPrefix(path, onTenant) && kind != "endpoints" && kind != "tokens"
	})
}

func TestTypesAreDocumented(t *testing.T) {
	t.Parallel()
	apitest.Types(t, map[string]any{"Suppression": suppression.Entry{}, "Suppressions": Suppressions{}, "NewSuppression": NewSuppression{},
		"NewSuppressions": NewSuppressions{}, "SuppressionsImported": Imported{},
		"Recipient": recipient.Recipient{}, "Recipients": Recipients{}, "RecipientTopic": recipient.Topic{}})
}
