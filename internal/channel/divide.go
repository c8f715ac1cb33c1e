package channel

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Divided reports whether n is to go out as a message to each of its recipients.
func (n Notification) Divided() bool { return n.Each && len(n.More) > 0 }

// Divide makes of data, which Decode has read as n, a message to each of its
// recipients, all with the same id.
func (n Notification) Divide(data []byte, id string) (all []string, err error) {
	var members map[string]jsontext.Value
	if err := json.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	delete(members, "each")
	for _, recipient := range n.Everyone() {
		for name, text := range map[string]string{"id": id, "recipient": recipient} {
			if members[name], err = json.Marshal(text); err != nil {
				return nil, err
			}
		}
		one, err := json.Marshal(members, json.Deterministic(true))
		if err != nil {
			return nil, err
		}
		all = append(all, string(one))
	}
	return all, nil
}

// Reached are the addresses that n goes to on a channel, without names: none where
// the channel has its own.
func (n Notification) Reached(on Name) (all []string) {
	if to := n.Address(on); to != "" {
		all = append(all, to)
	}
	if on == n.Channel && !n.Each {
		all = append(all, n.More...)
	}
	if on != Email {
		return all
	}
	for _, list := range [][]string{n.CC, n.BCC} {
		for _, text := range list {
			all = append(all, bare(text))
		}
	}
	return all
}
