package channel

import (
	"errors"
	"regexp"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	badTo    = "must be the id of a recipient of the tenant (a string), or an array of 1 to 50 of them, each once"
	toWanted = "must be the id of a recipient: 1 to 128 of A-Z, a-z, 0-9, _, ., @ and -, beginning with a letter, a digit or _"
)

// What can stand in a path as it is.
var recipientID = regexp.MustCompile(`^[0-9A-Za-z_][0-9A-Za-z_.@-]{0,127}$`)

// CheckTo says what is wrong with the id of a recipient; "" when nothing is.
func CheckTo(id string) string {
	if !recipientID.MatchString(id) {
		return toWanted
	}
	return ""
}

// toList is the id of a recipient, or several.
type toList []string

func (t *toList) UnmarshalJSONFrom(d *jsontext.Decoder) (err error) {
	if d.PeekKind() == jsontext.KindString {
		*t = toList{""}
		return json.UnmarshalDecode(d, &(*t)[0])
	}
	*t, err = texts(d)
	if err != nil || len(*t) == 0 || len(*t) > maxReceivers {
		return errors.Join(err, errors.New("their number"))
	}
	return nil
}

func checkToList(n *Notification) string {
	for _, id := range n.To {
		if problem := CheckTo(id); problem != "" {
			return problem
		}
	}
	return ""
}

// checkTo looks at what can't stand beside to.
func (p *parsing) checkTo() {
	if len(p.n.To) == 0 {
		return
	}
	if p.seen["recipient"] {
		p.Fail("to", "can't stand beside recipient: one or the other says who it is for")
	}
	if p.seen["each"] {
		p.Fail("each", "can't stand beside to: several of to get a message each")
	}
}
