package channel

import (
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The most of what a provider takes in one message: Slack ("Blocks", Block Kit)
// and Discord ("Execute Webhook").
const (
	maxBlocks = 50
	maxEmbeds = 10
	badNative = "must be JSON with each key once, in valid Unicode"
)

// native is a field that goes to its provider as it is. Only its outline is
// looked at: a provider's own answer says more of the rest than we could.
func native(kind jsontext.Kind, target func(*Content) *jsontext.Value, check func(jsontext.Value) string) field {
	return field{
		kind: kind, wrong: badNative,
		target: func(n *Notification) any { return target(&n.Content) },
		check:  func(n *Notification) string { return check(*target(&n.Content)) },
	}
}

func checkBlocks(v jsontext.Value) string {
	var blocks []map[string]jsontext.Value
	if json.Unmarshal(v, &blocks) != nil || len(blocks) == 0 || len(blocks) > maxBlocks {
		return "must be an array of 1 to 50 objects"
	}
	for _, b := range blocks {
		if b == nil || b["type"].Kind() != jsontext.KindString {
			return "must have a type (a string) in each block"
		}
	}
	return ""
}

func checkEmbeds(v jsontext.Value) string {
	var embeds []jsontext.Value
	if json.Unmarshal(v, &embeds) != nil || len(embeds) == 0 || len(embeds) > maxEmbeds {
		return "must be an array of 1 to 10 objects"
	}
	for _, e := range embeds {
		if e.Kind() != jsontext.KindBeginObject {
			return "must be an array of 1 to 10 objects"
		}
	}
	return ""
}

func checkCard(v jsontext.Value) string {
	var card map[string]jsontext.Value
	var kind string
	if json.Unmarshal(v, &card) != nil || json.Unmarshal(card["type"], &kind) != nil || kind != "AdaptiveCard" {
		return `must be an adaptive card, with "type": "AdaptiveCard"`
	}
	return ""
}
