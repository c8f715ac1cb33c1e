package secretserver

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"time"
)

// place is where an entry stands in a list: by time, then by name. A page's
// NextToken is its last entry's place, so that what is made or deleted between
// two pages doesn't repeat or hide anything else.
type place struct {
	At   time.Time
	Name string
}

func (p place) compare(o place) int { return cmp.Or(p.At.Compare(o.At), cmp.Compare(p.Name, o.Name)) }

func (p place) token() *string {
	text, _ := json.Marshal(p) // times and strings do not fail
	token := base64.RawURLEncoding.EncodeToString(text)
	return &token
}

func parseToken(token string) (p place, err error) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil {
		err = json.Unmarshal(text, &p)
	}
	if err != nil {
		return place{}, invalidNextToken()
	}
	return p, nil
}

// paging is what a request says about its page, and at most how many entries
// it can have, which is the default too.
type paging struct {
	token *string
	max   *int32
	most  int
	desc  bool
}

// page sorts all and gives the part that the request asks for, and the next
// page's token, nil on the last.
func page[T any](all []T, at func(T) place, p paging) (part []T, next *string, err error) {
	size := p.most
	if p.max != nil {
		size = int(*p.max)
		if err := checkNumber("maxResults", size, 1, p.most); err != nil {
			return nil, nil, err
		}
	}
	order := func(a, b place) int { return a.compare(b) }
	if p.desc {
		order = func(a, b place) int { return b.compare(a) }
	}
	slices.SortFunc(all, func(a, b T) int { return order(at(a), at(b)) })
	if p.token != nil {
		after, err := parseToken(*p.token)
		if err != nil {
			return nil, nil, err
		}
		i := slices.IndexFunc(all, func(t T) bool { return order(at(t), after) > 0 })
		if i < 0 {
			return nil, nil, nil
		}
		all = all[i:]
	}
	if len(all) > size {
		return all[:size], at(all[size-1]).token(), nil
	}
	return all, nil, nil
}
