package awsdynamodb

import (
	"context"
	"errors"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/efferent/efferent/internal/storetest"
	"github.com/efferent/efferent/internal/template"
)

func newTemplates() (*Templates, *fakeTable) {
	f := newFakeTable(partName, nameName)
	return &Templates{API: f, Table: "directory"}, f
}

func TestTemplates(t *testing.T) {
	t.Parallel()
	store, _ := newTemplates()
	storetest.TestTemplates(t, store)
}

func firstTemplate() (template.Head, template.Template) {
	v := template.Template{Tenant: "acme", Name: "invoice-paid", Version: 1, Created: due,
		Parts: map[template.Part]string{template.Body: strings.Repeat("a", 3000)}}
	return template.Head{Tenant: "acme", Name: "invoice-paid", Current: 1, Last: 1, Revision: 1, Updated: due,
		Versions: []template.Kept{{Version: 1, Created: due}}}, v
}

// TestWhatTemplatesCost counts what AWS bills.
func TestWhatTemplatesCost(t *testing.T) {
	t.Parallel()
	store, f := newTemplates()
	h, v := firstTemplate()
	other, more := firstTemplate()
	other.Name, more.Name = "invoice-due", "invoice-due"
	for _, c := range []struct {
		name          string
		do            func() error
		reads, writes float64
	}{
		{"a template of 3 KB", func() error { return store.WriteTemplate(t.Context(), h, &v) }, 0, 10},
		{"making another one", func() error { return store.MakeTemplate(t.Context(), other, more, 9) }, 2, 12},
		{"what is current", func() error { _, err := store.TemplateHead(t.Context(), "acme", "invoice-paid"); return err }, 1, 0},
		{"a version", func() error { _, err := store.Template(t.Context(), "acme", "invoice-paid", 1); return err }, 1, 0},
	} {
		reads, writes := f.reads, f.writes
		if err := c.do(); err != nil || f.reads-reads != c.reads || f.writes-writes != c.writes {
			t.Errorf("%s: %v read and %v write units, %v; want %v and %v", c.name, f.reads-reads, f.writes-writes, err, c.reads, c.writes)
		}
	}
}

// TestTemplateFaults: what fails says so, and names the table; what failed but persisted
// is found to be there.
func TestTemplateFaults(t *testing.T) {
	t.Parallel()
	errBroken := errors.New("broken")
	for name, c := range map[string]struct {
		request string
		do      func(*Templates) error
	}{
		"head":     {"GetItem", func(s *Templates) error { _, err := s.TemplateHead(t.Context(), "acme", "a"); return err }},
		"version":  {"GetItem", func(s *Templates) error { _, err := s.Template(t.Context(), "acme", "a", 1); return err }},
		"versions": {"DeleteItem", func(s *Templates) error { return s.DropVersions(t.Context(), "acme", "a", []int64{1}) }},
		"heads":    {"Query", func(s *Templates) error { _, _, err := s.TemplateHeads(t.Context(), "acme", "", 1); return err }},
		"make": {"TransactWriteItems", func(s *Templates) error {
			h, v := firstTemplate()
			return s.MakeTemplate(t.Context(), h, v, 1)
		}},
		"count": {"Query", func(s *Templates) error {
			h, v := firstTemplate()
			return s.MakeTemplate(t.Context(), h, v, 1)
		}},
		"write": {"TransactWriteItems", func(s *Templates) error {
			h, v := firstTemplate()
			return s.WriteTemplate(t.Context(), h, &v)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store, f := newTemplates()
			f.fault = func(request string, _ any) (error, error) {
				if request == c.request {
					return errBroken, nil
				}
				return nil, nil
			}
			if err := c.do(store); !errors.Is(err, errBroken) || !strings.Contains(err.Error(), "table directory") {
				t.Error(err)
			}
		})
	}
	store, f := newTemplates()
	f.fault = func(string, any) (error, error) { return nil, errBroken }
	h, v := firstTemplate()
	if err := store.WriteTemplate(t.Context(), h, &v); !errors.Is(err, errBroken) {
		t.Error(err)
	}
	f.fault = nil
	if got, err := store.Template(t.Context(), "acme", "invoice-paid", 1); err != nil || got.Parts[template.Body] != v.Parts[template.Body] {
		t.Error(got, err)
	}
	if err := store.WriteTemplate(t.Context(), h, &v); !errors.Is(err, template.ErrChanged) {
		t.Error(err)
	}
}

// overtaken does something before the first of its transactions.
type overtaken struct {
	*fakeTable
	first func()
}

func (o *overtaken) TransactWriteItems(ctx context.Context, in *sdk.TransactWriteItemsInput, by ...func(*sdk.Options)) (
	*sdk.TransactWriteItemsOutput, error) {
	if first := o.first; first != nil {
		o.first = nil
		first()
	}
	return o.fakeTable.TransactWriteItems(ctx, in, by...)
}

// TestTheLastTemplate: where another took the last place after the templates were counted,
// one more is not made.
func TestTheLastTemplate(t *testing.T) {
	t.Parallel()
	store, f := newTemplates()
	h, v := firstTemplate()
	other, theirs := firstTemplate()
	other.Name, theirs.Name = "invoice-due", "invoice-due"
	late := &Templates{Table: store.Table, Wait: atOncePause, API: &overtaken{f, func() {
		if err := store.MakeTemplate(t.Context(), other, theirs, 1); err != nil {
			t.Error(err)
		}
	}}}
	if err := late.MakeTemplate(t.Context(), h, v, 1); !errors.Is(err, template.ErrTooMany) {
		t.Error(err)
	}
}
