package endpoints

import (
	"strings"
	"testing"

	"github.com/efferent/efferent/internal/api/apitest"
)

func TestDocumentHasEveryRoute(t *testing.T) {
	t.Parallel()
	apitest.Routes(t, (&Handler{Needs{Publishing: &Publishing{}}}).Serves(), func(path string) bool {
		if strings.HasSuffix(path, "/replay") { // the handler of dead letters has it
			return false
		}
		return strings.HasPrefix(path, onTenant) || strings.HasSuffix(path, "/tokens") || path == "/api/v1/events"
	})
}

func TestTypesAreDocumented(t *testing.T) {
	t.Parallel()
	apitest.Types(t, map[string]any{"Endpoint": Endpoint{}, "Endpoints": Endpoints{}, "Secret": Secret{}, "Deliveries": Deliveries{},
		"Token": Token{}, "Tried": Tried{}, "Verification": Verification{}, "Missing": Missing{}, "Published": Published{}})
}
