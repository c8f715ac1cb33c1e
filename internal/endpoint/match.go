package endpoint

import (
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// Matching are the ids of those endpoints that get an event, in their order. The body
// is read once, and only where a filter asks for it.
func Matching(all []*Ready, eventType string, body []byte) (ids []string) {
	var read bool
	var v value
	for _, e := range all {
		if !Subscribes(e.EventTypes, eventType) {
			continue
		}
		if e.filter.root != nil && !read {
			v, _ = parseValue(body, func(name string) bool {
				return slices.ContainsFunc(all, func(e *Ready) bool { return e.filter.uses(name) })
			})
			read = true
		}
		if e.filter.matches(v) {
			ids = append(ids, e.ID)
		}
	}
	return ids
}

// Matches reports whether a body is like that.
func (f Filter) Matches(body []byte) bool {
	if f.root == nil {
		return true
	}
	v, _ := parseValue(body, f.uses)
	return f.matches(v)
}

// matches takes a body that is no object for one without fields: an array's elements
// are not looked at.
func (f Filter) matches(body value) bool {
	if body.kind != jsontext.KindBeginObject {
		body = value{kind: jsontext.KindBeginObject}
	}
	return f.root == nil || f.root.hold(body, []value{body})
}

// hold reports whether all fields hold in one of the values at a place, or where none
// of them is, within the whole body. Values in different elements of an array are never
// taken together.
func (p *pattern) hold(body value, at []value) bool {
	for v := range each(at) {
		if !slices.ContainsFunc(p.fields, func(f *pattern) bool { return !f.holds(body, v.all(f.name)) }) {
			return true
		}
	}
	return !slices.ContainsFunc(p.fields, func(f *pattern) bool { return !f.holds(body, nil) })
}

// holds reports whether a field holds, which has these values.
func (p *pattern) holds(body value, values []value) bool {
	if len(p.fields) > 0 {
		return p.hold(body, values)
	}
	for v := range each(values) {
		if v.kind != jsontext.KindBeginObject && slices.ContainsFunc(p.tests, func(t test) bool { return t(v) }) {
			return true
		}
	}
	return p.absent && !isLeaf(p.path, []value{body})
}

// isLeaf reports whether there is a value that is no object at a path, in whatever
// elements of arrays on the way.
func isLeaf(path []string, at []value) bool {
	for v := range each(at) {
		switch {
		case len(path) == 0 && v.kind != jsontext.KindBeginObject:
			return true
		case len(path) > 0 && isLeaf(path[1:], v.all(path[0])):
			return true
		}
	}
	return false
}
