package directory

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/handlers/directory"
	"github.com/efferent/efferent/internal/suppression"
)

func TestSuppressionsCommands(t *testing.T) {
	t.Parallel()
	const on = " /api/v1/tenants/-/suppressions"
	e, err := suppression.New("", channel.Email, "ann@acme.test", suppression.Complaint, commandtest.Noon)
	if err != nil {
		t.Fatal(err)
	}
	e.Note = "told\x1b[2J us"
	page := func(cursor string, all ...suppression.Entry) commandtest.Answered {
		return commandtest.Ok(directory.Suppressions{Items: all, Cursor: cursor})
	}
	many := filepath.Join(t.TempDir(), "many.jsonl")
	lines := strings.Repeat(`{"channel":"email","address":"ann@acme.test","reason":"bounce"}`+"\n\n", importedAtOnce+1)
	if err := os.WriteFile(many, []byte(lines), 0o600); err != nil {
		t.Fatal(err)
	}
	some := `{"items":[` + strings.TrimSuffix(strings.Repeat(`{"channel":"email","address":"ann@acme.test","reason":"bounce"},`,
		importedAtOnce), ",") + `]}`
	commandtest.RunCases(t, "suppressions", []commandtest.Case{
		{"list", "list --limit 2", []commandtest.Answered{page("x", e), page("y", e)},
			[]string{"GET" + on + "?cursor=&limit=2", "GET" + on + "?cursor=x&limit=1"},
			[]string{"CHANNEL  ADDRESS", "email    ann@acme.test  complaint", "told [2J us"}, []string{"2 suppressions; more with --limit\n"}, 0},
		{"a list with gaps", "list --limit all", []commandtest.Answered{page("x"), page("y", e), page("")},
			[]string{"GET" + on + "?cursor=&limit=200", "GET" + on + "?cursor=x&limit=200", "GET" + on + "?cursor=y&limit=200"},
			[]string{"ann@acme.test"}, []string{"1 suppression\n"}, 0},
		{"list as JSON", "list --tenant acme --json --channel email --reason complaint --address Ann+x@acme.test",
			[]commandtest.Answered{page("", e)},
			[]string{"GET /api/v1/tenants/acme/suppressions?address=Ann%2Bx%40acme.test&channel=email&cursor=&limit=50&reason=complaint"},
			[]string{`{"items":[{"id":"email-`}, nil, 0},
		{"a tenant that leads elsewhere", "list --tenant ..", nil, nil, nil, []string{"no tenant's name"}, 2},
		{"add", "add email Ann@acme.test --note because", []commandtest.Answered{{http.StatusCreated, e}},
			[]string{"POST" + on + ` {"channel":"email","address":"Ann@acme.test","note":"because"}`},
			[]string{"ann@acme.test is suppressed on email since 20", ", for a complaint\n"}, nil, 0},
		{"add what another list says", "add sms +46701234567 --reason stop --since 2026-01-02T03:04:05Z --source SM1 --json",
			[]commandtest.Answered{{http.StatusCreated, e}},
			[]string{"POST" + on + ` {"channel":"sms","address":"+46701234567","reason":"stop","since":"2026-01-02T03:04:05Z","source":"SM1"}`},
			[]string{`"reason":"complaint"`}, nil, 0},
		{"rm", "rm email ANN@acme.test", []commandtest.Answered{{http.StatusNoContent, ""}}, []string{"DELETE" + on + "/" + e.ID},
			[]string{"ann@acme.test is sent to again on email\n"}, nil, 0},
		{"rm on no channel", "rm fax ann@acme.test", nil, nil, nil, []string{`there is no channel "fax"`}, 2},
		{"import", "import " + many, []commandtest.Answered{commandtest.Ok(directory.Imported{Added: 190, Stayed: 10}),
			commandtest.Ok(directory.Imported{Added: 1})},
			[]string{"POST" + on + "/import " + some,
				"POST" + on + `/import {"items":[{"channel":"email","address":"ann@acme.test","reason":"bounce"}]}`},
			[]string{"191 put on the list, 10 were there already"}, nil, 0},
		{"nothing to import", "import /dev/null", nil, nil, nil, []string{"nothing to import"}, 2},
		{"no file", "import /nowhere", nil, nil, nil, []string{"no such file"}, 1},
	})
}

// TestWhatCannotBeImported is named by its line, and never shown.
func TestWhatCannotBeImported(t *testing.T) {
	t.Parallel()
	for _, line := range []string{`ann@acme.test`, `{"address":"ann@acme.test","extra":1}`, `["ann@acme.test"]`, `{"address":7}`} {
		_, err := readSuppressions(strings.NewReader("{\"channel\":\"email\"}\n" + line))
		if err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "extra") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
