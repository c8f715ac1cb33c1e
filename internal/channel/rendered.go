package channel

// made are the fields that a template makes, in the order in which they are looked at.
var made = []string{"subject", "body", "html", "blocks", "card", "embeds"}

// checkTemplate looks at what stands beside a template, or without one.
func (p *parsing) checkTemplate() {
	if !p.seen["template"] {
		if p.seen["data"] {
			p.Fail("data", "needs a template beside it")
		}
		return
	}
	for _, name := range made {
		if p.seen[name] {
			p.Fail(name, "can't stand beside template, which makes it")
		}
	}
}

// Check says which field is wrong of what is only one channel's, and how; "" when none
// is. It is for what a template made: of messages Decode says it.
func (c Content) Check() (field, problem string) {
	switch {
	case c.Blocks != nil && checkBlocks(c.Blocks) != "":
		return "blocks", checkBlocks(c.Blocks)
	case c.Card != nil && checkCard(c.Card) != "":
		return "card", checkCard(c.Card)
	case c.Embeds != nil && checkEmbeds(c.Embeds) != "":
		return "embeds", checkEmbeds(c.Embeds)
	}
	return "", ""
}

// CheckSubject says what is wrong with a subject on any channel; "" when nothing is.
func CheckSubject(s string) string { return checkSubject(s) }
