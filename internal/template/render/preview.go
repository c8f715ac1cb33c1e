package render

import (
	"github.com/go-json-experiment/json/jsontext"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/template"
)

// Previewed is what a template makes for one channel, or why it makes nothing that can
// be sent there.
type Previewed struct {
	Channel channel.Name   `json:"channel"`
	Subject string         `json:"subject,omitzero"`
	Body    string         `json:"body,omitzero"`
	HTML    string         `json:"html,omitzero"`
	Blocks  jsontext.Value `json:"blocks,omitzero"`
	Card    jsontext.Value `json:"card,omitzero"`
	Embeds  jsontext.Value `json:"embeds,omitzero"`
	// Segments is how many SMS it takes.
	Segments int    `json:"segments,omitzero"`
	Error    string `json:"error,omitzero"`
}

// Preview renders a template for channels; for none, for all of them.
func Preview(t template.Template, on []channel.Name, data jsontext.Value) (all []Previewed) {
	if len(on) == 0 {
		on = channel.Names
	}
	for _, name := range on {
		all = append(all, preview(t, name, data))
	}
	return all
}

func preview(t template.Template, on channel.Name, data jsontext.Value) Previewed {
	c, err := Of(t, on, data)
	if err != nil {
		return Previewed{Channel: on, Error: err.Error()}
	}
	p := Previewed{Channel: on, Subject: c.Subject, Body: c.Body, HTML: c.HTML, Blocks: c.Blocks, Card: c.Card, Embeds: c.Embeds}
	if on == channel.SMS {
		p.Segments = channel.Segments(channel.SMSText(c.Subject, c.Body))
	}
	if problem := channel.CheckText(on, c.Subject, c.Body); problem != "" {
		p.Error = "the text " + problem
	}
	return p
}
