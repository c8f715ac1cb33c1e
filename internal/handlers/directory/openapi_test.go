package directory

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/api/apitest"
	"github.com/efferent/efferent/internal/recipient"
	"github.com/efferent/efferent/internal/suppression"
	"github.com/efferent/efferent/internal/template"
	"github.com/efferent/efferent/internal/template/render"
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
		"Templates": Templates{}, "TemplateHead": template.Head{}, "TemplateKept": template.Kept{},
		"Template": Template{}, "NewTemplate": NewTemplate{}, "UseTemplate": UseVersion{}, "NewTemplatePreview": NewPreview{},
		"TemplatePreview": Preview{}, "TemplatePreviewed": render.Previewed{},
		"Recipient": recipient.Recipient{}, "Recipients": Recipients{}, "RecipientTopic": recipient.Topic{}})
}
