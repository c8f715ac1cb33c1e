package awsquery

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	// maxParameters bounds the memory that a form takes. The largest batch
	// has about 400 of them.
	maxParameters = 10_000
	// maxDepth is more than the longest name has segments:
	// SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringListValue.1
	maxDepth = 8
)

// node is a form as a tree: members are by the next segment of the name.
type node struct {
	value   string
	given   bool
	members map[string]*node
}

// parse reads forms. A later one goes before an earlier one, and inside of
// one the first value of a name counts.
func parse(forms ...string) (*node, error) {
	root := &node{}
	for _, form := range forms {
		if strings.Count(form, "&") >= maxParameters {
			return nil, malformed(fmt.Errorf("there are more than %d", maxParameters))
		}
		values, err := url.ParseQuery(form)
		if err != nil {
			return nil, malformed(err)
		}
		for name, list := range values {
			root.put(name, list[0])
		}
	}
	return root, nil
}

func (n *node) put(name, value string) {
	if strings.Count(name, ".") >= maxDepth {
		return // nothing has such a name
	}
	for segment := range strings.SplitSeq(name, ".") {
		m := n.members[segment]
		if m == nil {
			m = &node{}
			if n.members == nil {
				n.members = map[string]*node{}
			}
			n.members[segment] = m
		}
		n = m
	}
	n.value, n.given = value, true
}

// text is a member's value, "" when there is none.
func (n *node) text(name string) string {
	if m := n.members[name]; m != nil {
		return m.value
	}
	return ""
}

// element is a member with a number for its name.
type element struct {
	*node
	index uint64
	name  string
}

// elements are in the order of their numbers, which need not follow each
// other.
func (n *node) elements(name string) []element {
	var list []element
	for segment, m := range n.members {
		if i, err := strconv.ParseUint(segment, 10, 64); err == nil {
			list = append(list, element{m, i, name + "." + segment})
		}
	}
	slices.SortFunc(list, func(a, b element) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.name, b.name))
	})
	return list
}
