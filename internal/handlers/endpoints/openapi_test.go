package endpoints

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/api/apitest"
)

func TestDocumentHasEveryRoute(t *testing.T) {
	t.Parallel()
	apitest.Routes(t, (&Handler{Needs{Publishing: &Publishing{}}}).Serves(), func(path string) bool {
		return strings.HasPrefix(path, "/api/v1/tenants/") || path == "/api/v1/events"
	})
}

func TestTypesAreDocumented(t *testing.T) {
	t.Parallel()
	apitest.Types(t, map[string]any{"Endpoint": Endpoint{}, "Endpoints": Endpoints{}, "Secret": Secret{}, "Deliveries": Deliveries{},
		"Token": Token{}, "Published": Published{}})
}
