// Package render makes notifications of templates, by Go's text/template and
// html/template. A template sees the data of its message and a few functions, and
// nothing else: what it may do, and how much of it, is in budget.go and shape.go.
package render

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/channel/plaintext"
	"github.com/efferent/efferent/internal/template"
)

// Content is what a template makes for one channel.
type Content struct {
	Subject string
	Body    string
	HTML    string
	channel.Content
}

// Put puts it into a hand-over.
func (c Content) Put(h *channel.Handover) {
	h.Subject, h.Body, h.HTML, h.Content = c.Subject, c.Body, c.HTML, c.Content
}

// Fault is what is wrong with a template, or with the data that it was given. It holds
// no value of the data.
type Fault struct {
	Part    template.Part
	Line    int // from 1; 0 where it is no one line's
	Problem string
}

func (f *Fault) Error() string {
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s", f.Part, f.Problem)
	}
	return fmt.Sprintf("%s, line %d: %s", f.Part, f.Line, f.Problem)
}

// Check looks at a template as far as that can be done without data. Its error names
// the part and the line, and wraps template.ErrInvalid or a *Fault.
func Check(t template.Template) error {
	if err := t.Check(); err != nil {
		return err
	}
	for _, part := range template.Parts {
		if source, ok := t.Parts[part]; ok {
			if err := check(part, source); err != nil {
				return named(t, err)
			}
		}
	}
	return nil
}

// Of renders what goes out on a channel. Data is a JSON object, or empty for one
// without members. Its error names the template, and says what is wrong with it or with
// the data: it would fail again.
func Of(t template.Template, on channel.Name, data jsontext.Value) (Content, error) {
	values, err := read(data)
	if err != nil {
		return Content{}, named(t, err)
	}
	c, err := (&rendering{t, values, newBudget()}).content(on)
	if err != nil {
		return Content{}, named(t, err)
	}
	return c, nil
}

func named(t template.Template, err error) error {
	if t.Version == 0 {
		return fmt.Errorf("template %s: %w", t.Name, err)
	}
	return fmt.Errorf("template %s: %w", t.Ref(), err)
}

// rendering is one template with one message's data.
type rendering struct {
	template.Template
	data   map[string]any
	budget *budget
}

// alone are the parts that stand in place of subject and body on a channel.
var alone = map[channel.Name]template.Part{channel.SMS: template.SMS, channel.Slack: template.Slack}

func (r *rendering) content(on channel.Name) (c Content, err error) {
	body := template.Body
	if part, ok := alone[on]; ok && r.Parts[part] != "" {
		body = part
	} else if c.Subject, err = r.part(template.Subject); err != nil {
		return c, err
	}
	c.Subject = strings.TrimSpace(c.Subject)
	if c.Body, err = r.part(body); err != nil {
		return c, err
	}
	c.Body = strings.TrimRight(c.Body, "\r\n")
	if on == channel.Email || on == channel.Webhook || r.Parts[body] == "" {
		if c.HTML, err = r.part(template.HTML); err != nil {
			return c, err
		}
	}
	if c.Content, err = r.native(on); err != nil {
		return c, err
	}
	if r.Parts[body] == "" {
		c.Body = plaintext.Of(c.HTML)
	}
	if on != channel.Email && on != channel.Webhook {
		c.HTML = ""
	}
	return c, checkContent(c, body)
}

// native renders what only one channel shows.
func (r *rendering) native(on channel.Name) (c channel.Content, err error) {
	for _, own := range []struct {
		on   channel.Name
		part template.Part
		into *jsontext.Value
	}{
		{channel.Slack, template.Blocks, &c.Blocks},
		{channel.Teams, template.Card, &c.Card},
		{channel.Discord, template.Embeds, &c.Embeds},
	} {
		if on != own.on || r.Parts[own.part] == "" {
			continue
		}
		text, err := r.part(own.part)
		if err != nil {
			return c, err
		}
		if own.part == template.Blocks {
			text = settled(text)
		}
		*own.into = jsontext.Value(text)
		if !own.into.IsValid() {
			return c, &Fault{Part: own.part, Problem: "what it makes is not JSON, or has a key twice in one object"}
		}
	}
	return c, nil
}

// checkContent looks at what no channel takes.
func checkContent(c Content, body template.Part) error {
	if part, problem := c.Check(); problem != "" {
		return &Fault{Part: template.Part(part), Problem: "what it makes " + problem}
	}
	switch {
	case channel.CheckSubject(c.Subject) != "":
		return &Fault{Part: template.Subject, Problem: "what it makes " + channel.CheckSubject(c.Subject)}
	case c.Body == "" && c.HTML == "":
		return &Fault{Part: body, Problem: "makes nothing at all of this data"}
	}
	return nil
}

// part renders one part; one that the template has not is empty.
func (r *rendering) part(part template.Part) (string, error) {
	source, ok := r.Parts[part]
	if !ok {
		return "", nil
	}
	engine, err := compile(part, source, r.budget)
	if err != nil {
		return "", err
	}
	return execute(part, engine, r.data)
}
