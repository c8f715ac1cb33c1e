// Package template is the template of a notification: its versions, which are never
// changed, and which of them is current. How one is rendered is in the folder below,
// so that who only keeps templates links no engine for them.
package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/efferent/efferent/internal/message"
)

// Default is the tenant whose templates are those of all that have none of that name:
// nobody's name, as message.CheckOwner has it.
const Default = "-"

// Owner is whose templates a message's tenant has.
func Owner(tenant string) string {
	if tenant == "" {
		return Default
	}
	return tenant
}

// Part is what of a notification a template makes.
type Part string

// The parts. Blocks, Card and Embeds are JSON of their providers' own.
const (
	Subject Part = "subject"
	Body    Part = "body"
	HTML    Part = "html"   // email's
	SMS     Part = "sms"    // in place of subject and body
	Slack   Part = "slack"  // in place of subject and body
	Blocks  Part = "blocks" // Slack's
	Card    Part = "card"   // Teams'
	Embeds  Part = "embeds" // Discord's
)

// Parts are all parts.
var Parts = []Part{Subject, Body, HTML, SMS, Slack, Blocks, Card, Embeds}

// Files are what the parts are called in a folder.
var Files = map[Part]string{
	Subject: "subject.txt", Body: "body.txt", HTML: "body.html", SMS: "sms.txt", Slack: "slack.txt",
	Blocks: "slack.json", Card: "teams.json", Embeds: "discord.json",
}

// Template is one version of a template. It never changes.
type Template struct {
	Tenant  string          `json:"tenant"`
	Name    string          `json:"name"`
	Version int64           `json:"version"` // from 1
	Parts   map[Part]string `json:"parts"`   // their sources
	Created time.Time       `json:"created"`
}

// Ref is the version as a message pins it.
func (t Template) Ref() string { return fmt.Sprintf("%s@%d", t.Name, t.Version) }

const (
	// MaxSource is how many bytes the parts of a version may have together: an item of
	// DynamoDB has 400 KB ("Quotas in Amazon DynamoDB").
	MaxSource = 256 << 10
	// MaxVersions is how many versions of a template are kept: its head tells of them
	// all.
	MaxVersions = 100
)

// ErrInvalid is what is wrong with a template in itself.
var ErrInvalid = errors.New("the template is not as it must be")

// Check looks at the name, and at which parts there are. Its error wraps ErrInvalid.
func (t Template) Check() error {
	if problem := message.CheckTemplateName(t.Name); problem != "" {
		return fmt.Errorf("%w: its name %s", ErrInvalid, problem)
	}
	size := 0
	for _, part := range slices.Sorted(maps.Keys(t.Parts)) {
		source := t.Parts[part]
		size += len(source)
		switch {
		case !slices.Contains(Parts, part):
			return fmt.Errorf("%w: there is no part %.40q, but %s", ErrInvalid, string(part), names())
		case strings.TrimSpace(source) == "":
			return fmt.Errorf("%w: %s must not be empty: leave it out", ErrInvalid, part)
		case !utf8.ValidString(source):
			return fmt.Errorf("%w: %s is not valid UTF-8", ErrInvalid, part)
		}
	}
	switch {
	case t.Parts[Body] == "" && t.Parts[HTML] == "":
		return fmt.Errorf("%w: it must have body or html: what is shown where there is nothing else", ErrInvalid)
	case size > MaxSource:
		return fmt.Errorf("%w: its parts must have at most 256 KiB together", ErrInvalid)
	}
	return nil
}

func names() string {
	all := make([]string, len(Parts))
	for i, p := range Parts {
		all[i] = string(p)
	}
	return strings.Join(all, ", ")
}
