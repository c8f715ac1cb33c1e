package notify

import (
	"context"
	"errors"
	"fmt"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/template"
	"github.com/efferent/efferent/internal/template/render"
)

// Templates gives what messages name, as template.Book does.
type Templates interface {
	Of(ctx context.Context, tenant, name string, version int64) (template.Template, error)
}

// render makes of the message's template what goes out on a channel. What is wrong with
// it, or with the data, the outcome says, and it is no channel's: n.unmade tells so.
func (n *notice) render(ctx context.Context, on channel.Name, h *channel.Handover) (channel.Outcome, error) {
	switch {
	case n.message.Template == "":
		return channel.Outcome{}, nil
	case n.needs.Templates == nil:
		return n.cannotBeMade(errors.New("no templates are kept here")), nil
	}
	ctx, stop := context.WithTimeout(ctx, lookUpTime)
	defer stop()
	name, version, _ := message.TemplateOf(n.message.Template) // Decode has looked at it
	t, err := n.needs.Templates.Of(ctx, n.message.Tenant, name, version)
	switch {
	case errors.Is(err, template.ErrNotFound):
		return n.cannotBeMade(err), nil
	case err != nil:
		return channel.Outcome{}, fmt.Errorf("the template %s can't be read: %w", n.message.Template, err)
	}
	n.template = t.Ref()
	content, err := render.Of(t, on, n.message.Data)
	if err != nil {
		return n.cannotBeMade(err), nil
	}
	content.Put(h)
	return channel.Outcome{}, nil
}

func (n *notice) cannotBeMade(why error) channel.Outcome {
	n.unmade = true
	return channel.Failed(channel.Permanent, 0, why.Error())
}
