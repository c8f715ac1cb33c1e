package channel

import (
	"slices"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Divided reports whether n is to go out as a message to each of its recipients.
func (n Notification) Divided() bool { return n.Each && len(n.More) > 0 || len(n.To) > 1 }

// Divide makes of data, which Decode has read as n, a message to each of its
// recipients, all with the same id.
func (n Notification) Divide(data []byte, id string) (all []string, err error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	delete(members, "each")
	field, everyone := "recipient", n.Everyone()
	if len(n.To) > 0 {
		field, everyone = "to", n.To
	}
	for _, one := range everyone {
		for name, text := range map[string]string{"id": id, field: one} {
			if members[name], err = json.Marshal(text); err != nil {
				return nil, err
			}
		}
		text, err := json.Marshal(members, json.Deterministic(true))
		if err != nil {
			return nil, err
		}
		all = append(all, string(text))
	}
	return all, nil
}

// Reached are the addresses that n goes to on a channel, without names: none where
// the channel has its own.
func (n Notification) Reached(on Name) (all []string) {
	all = slices.DeleteFunc(slices.Clone(n.EveryoneOn(on)), func(a string) bool { return a == "" })
	if n.Each && len(all) > 1 {
		all = all[:1]
	}
	if on != Email {
		return all
	}
	for _, list := range [][]string{n.CC, n.BCC} {
		for _, text := range list {
			all = append(all, Bare(text))
		}
	}
	return all
}
