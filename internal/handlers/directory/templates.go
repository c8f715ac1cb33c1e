package directory

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/api"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/ledger"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/template"
	"github.com/efferent/efferent/internal/template/render"
)

// Templates is the answer to GET …/templates, in the order of their names.
type Templates struct {
	Items []template.Head `json:"items"`
	// Cursor asks for what follows; empty at the end.
	Cursor string `json:"cursor,omitzero"`
}

// Template is a version of a template, and which others there are.
type Template struct {
	template.Template
	// Current is the version that messages get that pin none.
	Current  int64           `json:"current"`
	Versions []template.Kept `json:"versions"`
}

// NewTemplate is the body of what keeps a version.
type NewTemplate struct {
	Parts map[template.Part]string `json:"parts"`
}

// UseVersion is the body of what makes a version current.
type UseVersion struct {
	Version int64 `json:"version"`
}

// NewPreview is the body of what renders a template without sending anything.
type NewPreview struct {
	Data jsontext.Value `json:"data,omitzero"`
	// Channels are those to render for; all of them, where there is none.
	Channels []channel.Name `json:"channels,omitzero"`
	// Parts are rendered instead of those that are kept.
	Parts map[template.Part]string `json:"parts,omitzero"`
}

// Preview is the answer to that.
type Preview struct {
	Items []render.Previewed `json:"items"`
}

const (
	onTemplates = onTenant + "templates"
	onTemplate  = onTemplates + "/{template}"
	onVersion   = onTemplate + "/versions/{version}"
	// templateBody is how many bytes a request with a template may have: JSON may make a
	// source several times as long.
	templateBody = 1 << 20
	// templateTries is how often a change is made again where others were faster.
	templateTries = 5
)

func (h *Handler) templateRoutes() []api.Route {
	return []api.Route{
		{Pattern: "GET " + onTemplates, Parameters: []string{"limit", "cursor"}, Answer: h.listTemplates},
		{Pattern: "GET " + onTemplate, Answer: h.showTemplate},
		{Pattern: "PUT " + onTemplate, MaxBody: templateBody, Answer: h.putTemplate},
		{Pattern: "DELETE " + onTemplate, Answer: h.removeTemplate},
		{Pattern: "POST " + onTemplate + "/use", Answer: h.useTemplate},
		{Pattern: "POST " + onTemplate + "/preview", MaxBody: templateBody, Answer: h.previewTemplate},
		{Pattern: "GET " + onVersion, Answer: h.showTemplate},
		{Pattern: "DELETE " + onVersion, Answer: h.removeVersion},
		{Pattern: "POST " + onVersion + "/preview", MaxBody: templateBody, Answer: h.previewTemplate},
	}
}

// ownerOf is whose templates a path is about.
func ownerOf(r *http.Request) string { return template.Owner(tenantOf(r)) }

// listTemplates answers GET …/templates.
func (h *Handler) listTemplates(r *http.Request) (int, any, error) {
	query := r.URL.Query()
	limit, err := api.Limit(query)
	if err != nil {
		return 0, nil, err
	}
	var after string
	if text := query.Get("cursor"); text != "" && (!api.ReadOpaque(text, &after) || message.CheckTemplateName(after) != "") {
		return 0, nil, api.BadRequest("cursor: is not one that this API gave for such a list")
	}
	page, more, err := h.Templates.TemplateHeads(r.Context(), ownerOf(r), after, limit)
	if err != nil {
		return 0, nil, api.Unavailable("the templates can't be read", err)
	}
	answer := Templates{Items: append([]template.Head{}, page...)}
	if more {
		answer.Cursor = api.Opaque(page[len(page)-1].Name)
	}
	return http.StatusOK, answer, nil
}

// head gives the head of the path's template. One that is not there, and one that was
// deleted, are refused.
func (h *Handler) head(r *http.Request) (template.Head, error) {
	head, err := h.headOrNone(r)
	if err == nil && head.Deleted() {
		err = api.NotFound("the tenant %s has no template %.80q of its own", r.PathValue("tenant"), r.PathValue("template"))
	}
	return head, err
}

func (h *Handler) headOrNone(r *http.Request) (template.Head, error) {
	name := r.PathValue("template")
	if problem := message.CheckTemplateName(name); problem != "" {
		return template.Head{}, api.NotFound("%.80q is no template's name: it %s", name, problem)
	}
	head, err := h.Templates.TemplateHead(r.Context(), ownerOf(r), name)
	switch {
	case errors.Is(err, template.ErrNotFound):
		return template.Head{Tenant: ownerOf(r), Name: name}, nil
	case err != nil:
		return head, api.Unavailable("the template can't be read", err)
	}
	return head, nil
}

// versionOf is the version that a path names, or the current one, if it is there.
func versionOf(r *http.Request, head template.Head) (int64, error) {
	text := r.PathValue("version")
	if text == "" {
		return head.Current, nil
	}
	version, ok := message.TemplateVersion(text)
	if !ok || !head.Has(version) {
		return 0, api.NotFound("the template %s has no version %.20q", head.Name, text)
	}
	return version, nil
}

func (h *Handler) version(r *http.Request, head template.Head, version int64) (template.Template, error) {
	t, err := h.Templates.Template(r.Context(), head.Tenant, head.Name, version)
	if errors.Is(err, template.ErrNotFound) {
		return t, api.NotFound("the version %d of the template %s was removed meanwhile", version, head.Name)
	}
	return t, api.Unavailable("the template can't be read", err)
}

// showTemplate answers GET …/templates/{template} and …/versions/{version}.
func (h *Handler) showTemplate(r *http.Request) (int, any, error) {
	head, err := h.head(r)
	if err != nil {
		return 0, nil, err
	}
	version, err := versionOf(r, head)
	if err != nil {
		return 0, nil, err
	}
	t, err := h.version(r, head, version)
	return http.StatusOK, shownTemplate(head, t), err
}

func shownTemplate(head template.Head, t template.Template) api.Tagged {
	return api.Tagged{Version: head.Revision, Value: Template{Template: t, Current: head.Current, Versions: head.Versions}}
}

// putTemplate answers PUT …/templates/{template}: what is the same as the current
// version already makes no new one.
func (h *Handler) putTemplate(r *http.Request) (int, any, error) {
	var asked NewTemplate
	if _, err := api.Object(r, &asked, `such as {"parts": {"subject": "…", "body": "…"}}`); err != nil {
		return 0, nil, err
	}
	t := template.Template{Tenant: ownerOf(r), Name: r.PathValue("template"), Parts: asked.Parts, Created: h.Now().UTC()}
	if err := render.Check(t); err != nil {
		return 0, nil, api.BadRequest("%v", err)
	}
	var same *template.Template
	head, err := h.changeTemplate(r, h.headOrNone, ledger.TemplatePut, func(head *template.Head) (*template.Template, error) {
		same = nil
		if head.Current != 0 {
			now, err := h.version(r, *head, head.Current)
			if err != nil || maps.Equal(now.Parts, t.Parts) {
				same = &now
				return nil, err
			}
		}
		if len(head.Versions) >= template.MaxVersions {
			return nil, api.Conflict("the template %s has %d versions, and can have no more: remove some that nothing pins", t.Name,
				template.MaxVersions)
		}
		t.Version = head.Last + 1
		head.Last, head.Current = t.Version, t.Version
		head.Versions = append(slices.Clone(head.Versions), template.Kept{Version: t.Version, Created: t.Created})
		return &t, nil
	})
	switch {
	case err != nil:
		return 0, nil, err
	case same != nil:
		return http.StatusOK, shownTemplate(head, *same), nil
	}
	answer := shownTemplate(head, t)
	answer.Location = fmt.Sprintf("%s/versions/%d", r.URL.Path, t.Version)
	return http.StatusCreated, answer, nil
}

// useTemplate answers POST …/use.
func (h *Handler) useTemplate(r *http.Request) (int, any, error) {
	var asked UseVersion
	if _, err := api.Object(r, &asked, `such as {"version": 2}`); err != nil {
		return 0, nil, err
	}
	head, err := h.changeTemplate(r, h.head, ledger.TemplateUsed, func(head *template.Head) (*template.Template, error) {
		if !head.Has(asked.Version) {
			return nil, api.NotFound("the template %s has no version %d", head.Name, asked.Version)
		}
		head.Current = asked.Version
		return nil, nil
	})
	if err != nil {
		return 0, nil, err
	}
	t, err := h.version(r, head, head.Current)
	return http.StatusOK, shownTemplate(head, t), err
}

// removeTemplate answers DELETE …/templates/{template}.
func (h *Handler) removeTemplate(r *http.Request) (int, any, error) {
	var gone []int64
	_, err := h.changeTemplate(r, h.head, ledger.TemplateDeleted, func(head *template.Head) (*template.Template, error) {
		gone = nil
		for _, kept := range head.Versions {
			gone = append(gone, kept.Version)
		}
		head.Current, head.Versions = 0, nil
		return nil, nil
	})
	return h.drop(r, gone, err)
}

// removeVersion answers DELETE …/versions/{version}.
func (h *Handler) removeVersion(r *http.Request) (int, any, error) {
	var gone int64
	_, err := h.changeTemplate(r, h.head, ledger.TemplateDeleted, func(head *template.Head) (_ *template.Template, err error) {
		switch gone, err = versionOf(r, *head); {
		case err != nil:
			return nil, err
		case gone == head.Current:
			return nil, api.Conflict("version %d is the current one of %s: make another one current first, or delete the template", gone,
				head.Name)
		}
		head.Versions = slices.DeleteFunc(slices.Clone(head.Versions), func(k template.Kept) bool { return k.Version == gone })
		return nil, nil
	})
	return h.drop(r, []int64{gone}, err)
}

// drop removes what no head tells of any more. What stays is read by nobody.
func (h *Handler) drop(r *http.Request, gone []int64, err error) (int, any, error) {
	if err != nil {
		return 0, nil, err
	}
	if err := h.Templates.DropVersions(r.Context(), ownerOf(r), r.PathValue("template"), gone); err != nil {
		h.Log.WarnContext(r.Context(), "versions of a template that was deleted are still kept, though nothing reads them", "error", err)
	}
	return http.StatusNoContent, nil, nil
}

// changeTemplate changes a head, and tells the ledger before. Where another was faster
// it is made again of what that one made, unless the caller has said of which revision
// it is meant.
func (h *Handler) changeTemplate(r *http.Request, read func(*http.Request) (template.Head, error), action string,
	change func(*template.Head) (*template.Template, error)) (template.Head, error) {
	said := false
	for try := 1; ; try++ {
		was, err := read(r)
		if err == nil {
			err = api.Precondition(r, was.Revision, !was.Deleted())
		}
		if err != nil {
			return was, err
		}
		head := was
		add, err := change(&head)
		if err != nil || head.Current == was.Current && head.Last == was.Last && len(head.Versions) == len(was.Versions) {
			return was, err
		}
		makes := was.Deleted() && add != nil
		if makes {
			if err := h.roomFor(r); err != nil {
				return was, err
			}
		}
		if !said {
			if err := h.tell(r, h.toldTemplate(r, action, head)); err != nil {
				return was, err
			}
			said = true
		}
		head.Revision, head.Updated = was.Revision+1, h.Now().UTC()
		err = h.writeTemplate(r, head, add, makes)
		switch {
		case errors.Is(err, template.ErrTooMany):
			return was, h.tooManyTemplates()
		case err == nil:
			return head, nil
		case errors.Is(err, template.ErrChanged) && try < templateTries:
		case errors.Is(err, template.ErrChanged):
			return was, api.Conflict("others are changing the template all the time; try again")
		default:
			return was, api.Unavailable("the template can't be changed", err)
		}
	}
}

func (h *Handler) writeTemplate(r *http.Request, head template.Head, add *template.Template, makes bool) error {
	if makes {
		return h.Templates.MakeTemplate(r.Context(), head, *add, h.MaxTemplates)
	}
	return h.Templates.WriteTemplate(r.Context(), head, add)
}

// roomFor refuses another template, before the ledger is told of it, where the tenant has
// as many as it may have. The store looks again.
func (h *Handler) roomFor(r *http.Request) error {
	all, _, err := h.Templates.TemplateHeads(r.Context(), ownerOf(r), "", h.MaxTemplates)
	if err == nil && len(all) >= h.MaxTemplates {
		return h.tooManyTemplates()
	}
	return api.Unavailable("the templates can't be read", err)
}

func (h *Handler) tooManyTemplates() error {
	return api.Conflict("the tenant has %d templates, and may have no more; delete one", h.MaxTemplates)
}

// toldTemplate is what the ledger is told: no sources.
func (h *Handler) toldTemplate(r *http.Request, action string, head template.Head) ledger.Entry {
	resource := "template=" + head.Name
	if head.Current != 0 {
		resource += fmt.Sprintf("@%d", head.Current)
	}
	return ledger.Entry{Action: action, Actor: api.CallerOf(r).Name, ID: head.Name, Resource: resource, Tenant: tenantOf(r),
		Timestamp: h.Now()}
}

// previewTemplate answers POST …/preview. Nothing is sent, and nothing kept.
func (h *Handler) previewTemplate(r *http.Request) (int, any, error) {
	var asked NewPreview
	if err := api.OptionalObject(r, &asked, `such as {"data": {}}`); err != nil {
		return 0, nil, err
	}
	for _, on := range asked.Channels {
		if !slices.Contains(channel.Names, on) {
			return 0, nil, api.BadRequest("field \"channels\": there is no channel %.40q", on)
		}
	}
	if kind := asked.Data.Kind(); len(asked.Data) > 0 && kind != jsontext.KindBeginObject {
		return 0, nil, api.BadRequest("field \"data\": must be an object, not %s", message.KindName(kind))
	}
	t, err := h.previewed(r, asked)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, Preview{Items: render.Preview(t, asked.Channels, asked.Data)}, nil
}

// previewed is the template that a preview is of.
func (h *Handler) previewed(r *http.Request, asked NewPreview) (template.Template, error) {
	if asked.Parts == nil {
		head, err := h.head(r)
		if err != nil {
			return template.Template{}, err
		}
		version, err := versionOf(r, head)
		if err != nil {
			return template.Template{}, err
		}
		return h.version(r, head, version)
	}
	if strings.Contains(r.URL.Path, "/versions/") {
		return template.Template{}, api.BadRequest("field \"parts\": can't stand beside a version in the path")
	}
	t := template.Template{Tenant: ownerOf(r), Name: r.PathValue("template"), Parts: asked.Parts}
	if err := render.Check(t); err != nil {
		return t, api.BadRequest("%v", err)
	}
	return t, nil
}
