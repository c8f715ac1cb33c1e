package channel

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDecodeMail reads what only some channels have.
func TestDecodeMail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		in   map[string]string
		want func(*Notification)
	}{
		"HTML without a body": {map[string]string{"html": `"<p>a"`, "body": ""}, func(n *Notification) { n.HTML, n.Body = "<p>a", "" }},
		"several recipients": {map[string]string{"recipient": `["ann@acme.test", "bob@acme.test"]`},
			func(n *Notification) { n.More = []string{"bob@acme.test"} }},
		"a list of one": {map[string]string{"recipient": `["ann@acme.test"]`}, func(n *Notification) { n.More = []string{} }},
		"copies": {map[string]string{"cc": `["Bob <bob@acme.test>"]`, "bcc": `["eve@acme.test"]`, "reply_to": `"Hjälp <help@acme.test>"`},
			func(n *Notification) {
				n.CC, n.BCC, n.ReplyTo = []string{"Bob <bob@acme.test>"}, []string{"eve@acme.test"}, "Hjälp <help@acme.test>"
			}},
		"headers": {map[string]string{"headers": `{"X-A": "b", "references": "<a@b>"}`},
			func(n *Notification) { n.Headers = map[string]string{"X-A": "b", "references": "<a@b>"} }},
		"attachments": {map[string]string{
			"attachments": `[{"name": "a", "content": "YQ==\r\n", "type": "a/b"}, {"s3": "acme/b/c\\d", "content_id": "x"}]`},
			func(n *Notification) {
				n.Attachments = []Attachment{{Name: "a", Content: []byte("a"), Type: "a/b"}, {Name: "c_d", S3: `acme/b/c\d`, ContentID: "x"}}
			}},
		"Slack's": {map[string]string{"channel": `"slack"`, "recipient": `"C1"`, "blocks": `[{"type": "divider"}]`, "thread": `"n_6"`},
			func(n *Notification) {
				n.Channel, n.Recipient, n.Blocks, n.Thread = Slack, "C1", []byte(`[{"type": "divider"}]`), "n_6"
			}},
		"an SMS each": {map[string]string{"channel": `"sms"`, "recipient": `["+15005550006", "+15005550007"]`, "each": "true"},
			func(n *Notification) {
				n.Channel, n.Recipient, n.More, n.Each = SMS, "+15005550006", []string{"+15005550007"}, true
			}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Decode([]byte(notification(c.in)))
			want := Notification{ID: "n_7", Channel: Email, Recipient: "ann@acme.test", Subject: "Hi", Body: "words"}
			c.want(&want)
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v, -want +got:\n%s", err, diff)
			}
		})
	}
}

func TestDecodeMailRefuses(t *testing.T) {
	t.Parallel()
	many := func(n int) string {
		var all []string
		for i := range n {
			all = append(all, fmt.Sprintf(`"u%d@acme.test"`, i))
		}
		return "[" + strings.Join(all, ",") + "]"
	}
	for name, c := range map[string]struct {
		in          map[string]string
		field, says string
	}{
		"neither body nor HTML":       {map[string]string{"body": ""}, "body", "missing"},
		"empty HTML":                  {map[string]string{"html": `""`}, "html", "empty"},
		"nobody":                      {map[string]string{"recipient": `[]`}, "recipient", "1 to 50"},
		"somebody twice":              {map[string]string{"recipient": `["a@b.test", "a@b.test"]`}, "recipient", "each once"},
		"somebody without an address": {map[string]string{"recipient": `["a@b.test", ""]`}, "recipient", "empty"},
		"too many":                    {map[string]string{"recipient": many(51)}, "recipient", "1 to 50"},
		"too many with copies":        {map[string]string{"recipient": many(30), "bcc": many(21)}, "recipient", "more than 50"},
		"several by Slack":            {map[string]string{"channel": `"slack"`, "recipient": `["C1", "C2"]`}, "recipient", "by email only"},
		"several, and one more": {map[string]string{"recipient": many(2), "recipients": `{"email": "a@b.test"}`}, "recipients",
			"beside several"},
		"a copy to no address":        {map[string]string{"cc": `["bob"]`}, "cc", "one email address"},
		"a copy to two":               {map[string]string{"bcc": `["a@b.test, c@d.test"]`}, "bcc", "one email address"},
		"copies as a text":            {map[string]string{"cc": `"a@b.test"`}, "cc", "must be an array"},
		"an answer with a header":     {map[string]string{"reply_to": `"a@b.test\r\nX: y"`}, "reply_to", "one email address"},
		"a header of ours":            {map[string]string{"headers": `{"Subject": "a"}`}, "headers", "only X-"},
		"a header of SES":             {map[string]string{"headers": `{"x-ses-configuration-set": "a"}`}, "headers", "only X-"},
		"a header that only looks so": {map[string]string{"headers": `{"Feedbac\u212a-ID": "a"}`}, "headers", "only X-"},
		"a header with a line break":  {map[string]string{"headers": `{"X-A": "a\r\nBcc: b"}`}, "headers", "printable ASCII"},
		"a header twice":              {map[string]string{"headers": `{"X-A": "a", "x-a": "b"}`}, "headers", "twice"},
		"a file of nothing":           {map[string]string{"attachments": `[{"name": "a"}]`}, "attachments", "[0] must have content or s3"},
		"a file from two places": {map[string]string{"attachments": `[{"name": "a", "content": "YQ==", "s3": "acme/b"}]`}, "attachments",
			"content or s3"},
		"a file that is no base64": {map[string]string{"attachments": `[{"name": "a", "content": "%PDF"}]`}, "attachments", "base64"},
		"a file without a name":    {map[string]string{"attachments": `[{"content": "YQ=="}]`}, "attachments", "must have a name"},
		"a file in a folder": {map[string]string{"attachments": `[{"name": "../a", "content": "YQ=="}]`}, "attachments",
			"without slashes"},
		"a file of many parts": {map[string]string{"attachments": `[{"name": "a", "content": "YQ==", "type": "Multipart/Mixed"}]`},
			"attachments", "media type"},
		"a file whose type is no header": {map[string]string{
			"attachments": `[{"name": "a", "content": "YQ==", "type": "text/plain; charset=\"\u00e9\""}]`}, "attachments", "media type"},
		"a file from a path": {map[string]string{"attachments": `[{"name": "a", "path": "/etc/passwd"}]`}, "attachments",
			`[0] has a key that is none of name, type, content, s3, content_id: "path"`},
		"a file whose name is null": {map[string]string{"attachments": `[{"s3": "acme/a"}, {"name": null, "content": "YQ=="}]`}, "attachments",
			"[1] must not have name null or empty"},
		"a file from no bucket": {map[string]string{"attachments": `[{"s3": "s3://acme/b"}]`}, "attachments", "bucket/key"},
		"two files by one id": {map[string]string{
			"attachments": `[{"s3": "acme/a", "content_id": "x"}, {"s3": "acme/b", "content_id": "x"}]`}, "attachments", "[1] has the content_id"},
		"an id with a bracket": {map[string]string{"attachments": `[{"s3": "acme/a", "content_id": "<x>"}]`}, "attachments",
			"content_id of"},
		"blocks without a type":    {map[string]string{"blocks": `[{}]`}, "blocks", "type"},
		"no blocks":                {map[string]string{"blocks": `[]`}, "blocks", "1 to 50"},
		"a key of a block twice":   {map[string]string{"blocks": `[{"type": "a", "b": 1, "b": 2}]`}, "blocks", "each key once"},
		"another card":             {map[string]string{"card": `{"type": "MessageCard"}`}, "card", "AdaptiveCard"},
		"too many embeds":          {map[string]string{"embeds": "[" + strings.Repeat("{},", 10) + "{}]"}, "embeds", "1 to 10"},
		"a thread and an update":   {map[string]string{"channel": `"slack"`, "thread": `"a"`, "update": `"b"`}, "update", "beside thread"},
		"a thread of SMS":          {map[string]string{"channel": `"sms"`, "thread": `"a"`}, "thread", "sms has no threads"},
		"an email that is changed": {map[string]string{"update": `"a"`}, "update", "can't be changed"},
		"a thread of itself":       {map[string]string{"thread": `"n_7"`}, "thread", "own id"},
		"a thread that is no id":   {map[string]string{"thread": `"C1/1.1"`}, "thread", "1 to 128"},
		"each as a text":           {map[string]string{"each": `"true"`}, "each", "must be a boolean"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Decode([]byte(notification(c.in)))
			if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("field %q: ", c.field)) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q of %q", err, c.says, c.field)
			}
		})
	}
}

func TestMediaType(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"a.PDF": "application/pdf", "a": "application/octet-stream",
		"a.b.csv": "text/csv; charset=utf-8"} {
		if got := (Attachment{Name: name}).MediaType(); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
