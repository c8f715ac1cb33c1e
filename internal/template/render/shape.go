package render

import (
	"fmt"
	"text/template/parse"

	"github.com/efferent/efferent/internal/message"
	"github.com/efferent/efferent/internal/template"
)

const (
	// mostRanges is how many loops may stand in one another: html/template reads the
	// inside of each twice, so that its time doubles with each.
	mostRanges = 5
	mostDepth  = 100 // of if, with and range in one another
	maxNamed   = 100 // bytes of an expression that an error names
	// sourceBytes is how much of a source is gone through in a step: what costs most
	// there, a function without arguments, has no more.
	sourceBytes = 4
	perRound    = 8 // steps
)

// Names of functions that only shaped templates call: authors can't, as their
// templates are parsed without them.
const (
	stepName  = "_step"
	printName = "_print"
	quoteName = "_quote"
	valueName = "_value"
)

// shape changes a parsed template, so that each loop counts its rounds and each value
// is looked at before it is printed: what is null, or no text, is an error that names
// it. A template of JSON has each value written as the place where it stands wants it,
// as html/template does for HTML.
type shape struct {
	json bool
	// place is where in JSON the text has come to, loop where the loop at hand began.
	place, loop place
	ranges      int
	fault       func(node parse.Node, format string, args ...any) error
}

// place says whether text that follows is inside a JSON string.
type place bool

func isJSON(part template.Part) bool {
	return part == template.Blocks || part == template.Card || part == template.Embeds
}

func (s *shape) list(l *parse.ListNode, depth int) error {
	if l == nil {
		return nil
	}
	for _, node := range l.Nodes {
		if err := s.node(node, depth); err != nil {
			return err
		}
	}
	return nil
}

func (s *shape) node(node parse.Node, depth int) error {
	switch n := node.(type) {
	case *parse.TextNode:
		return s.text(n)
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 0 {
			s.print(n.Pipe)
		}
	case *parse.IfNode:
		return s.branch(&n.BranchNode, depth+1)
	case *parse.WithNode:
		return s.branch(&n.BranchNode, depth+1)
	case *parse.RangeNode:
		return s.loopOver(n, depth+1)
	case *parse.BreakNode, *parse.ContinueNode:
		if s.place != s.loop {
			return s.fault(node, "leaves its loop inside a JSON string, where it began outside of one, or the other way round")
		}
	case *parse.TemplateNode:
		return s.fault(node, "{{template}}, {{define}} and {{block}} can't be used: a part is one template")
	}
	return nil
}

// text follows where in JSON a text leads.
func (s *shape) text(n *parse.TextNode) error {
	for i := 0; s.json && i < len(n.Text); i++ {
		switch {
		case n.Text[i] == '"':
			s.place = !s.place
		case bool(s.place) && n.Text[i] == '\\':
			if i++; i == len(n.Text) {
				return s.fault(n, `{{ can't follow a \ in a JSON string`)
			}
		}
	}
	return nil
}

// print has a value looked at before it is printed.
func (s *shape) print(pipe *parse.PipeNode) {
	how := printName
	switch {
	case s.json && bool(s.place):
		how = quoteName
	case s.json:
		how = valueName
	}
	called := message.Shorten(pipe.String(), maxNamed)
	pipe.Cmds = append(pipe.Cmds, &parse.CommandNode{NodeType: parse.NodeCommand, Pos: pipe.Pos, Args: []parse.Node{
		parse.NewIdentifier(how).SetPos(pipe.Pos),
		&parse.StringNode{NodeType: parse.NodeString, Pos: pipe.Pos, Quoted: fmt.Sprintf("%q", called), Text: called},
	}})
}

func (s *shape) branch(b *parse.BranchNode, depth int) error {
	if depth > mostDepth {
		return s.fault(b, "has more than %d of if, with and range in one another", mostDepth)
	}
	before := s.place
	if err := s.list(b.List, depth); err != nil {
		return err
	}
	after := s.place
	s.place = before
	if err := s.list(b.ElseList, depth); err != nil {
		return err
	}
	if s.place != after {
		return s.fault(b, "one way through it ends inside a JSON string, and another outside of one")
	}
	return nil
}

// loopOver has a loop take steps for what is in it, each time.
func (s *shape) loopOver(n *parse.RangeNode, depth int) error {
	if s.ranges++; s.ranges > mostRanges {
		return s.fault(n, "has more than %d of range in one another", mostRanges)
	}
	outer, before, cost := s.loop, s.place, perRound+len(n.List.String())/sourceBytes
	s.loop = s.place
	err := s.branch(&n.BranchNode, depth)
	if s.loop = outer; err != nil {
		return err
	}
	if s.place != before {
		return s.fault(n, "begins outside of a JSON string and ends inside of one, or the other way round")
	}
	s.ranges--
	n.List.Nodes = append([]parse.Node{step(cost, n.Pos)}, n.List.Nodes...)
	return nil
}

// step is {{if _step n}}{{end}}: it prints nothing, wherever in HTML it stands.
func step(n int, at parse.Pos) parse.Node {
	return &parse.IfNode{BranchNode: parse.BranchNode{NodeType: parse.NodeIf, Pos: at,
		Pipe: &parse.PipeNode{NodeType: parse.NodePipe, Pos: at, Cmds: []*parse.CommandNode{{NodeType: parse.NodeCommand, Pos: at,
			Args: []parse.Node{parse.NewIdentifier(stepName).SetPos(at),
				&parse.NumberNode{NodeType: parse.NodeNumber, Pos: at, IsInt: true, Int64: int64(n), Text: fmt.Sprint(n)}}}}},
		List: &parse.ListNode{NodeType: parse.NodeList, Pos: at},
	}}
}
