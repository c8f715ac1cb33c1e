package directory

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/produce"
	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/handlers/directory"
	"github.com/efferent/efferent/internal/recipient"
)

func TestRecipientsCommands(t *testing.T) {
	t.Parallel()
	const on = " /api/v1/tenants/acme/recipients"
	ann := recipient.Recipient{ID: "user_7", Tenant: "acme", Created: commandtest.Noon, Updated: commandtest.Noon, Version: 3,
		Addresses: map[channel.Name]recipient.Addresses{channel.SMS: {"+46701234567"}, channel.Email: {"ann@acme.test", "a@home.test"}},
		Channels:  []channel.Name{channel.SMS, channel.Email}, Topics: map[string]recipient.Topic{"marketing.*": {OptedOut: true}, "a": {}}}
	people := filepath.Join(t.TempDir(), "people.ndjson")
	if err := os.WriteFile(people, []byte("{\"id\":\"a\"}\n\n{\"id\":\"b\",\"channels\":[\"sms\"]}\n{\"id\":\"c/d\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	commandtest.RunCases(t, "recipients", []commandtest.Case{
		{"put", "put user_7 --tenant acme --address email=ann@acme.test --address email=a=b@home.test --address sms=+4670 --channel sms,email " +
			"--topic marketing.*=none --topic alarm=sms,slack --topic a=", []commandtest.Answered{commandtest.Ok(ann)},
			[]string{"PUT" + on + `/user_7 {"addresses":{"email":["ann@acme.test","a=b@home.test"],"sms":"+4670"},"channels":["sms","email"],` +
				`"topics":{"a":{"opted_out":false},"alarm":{"opted_out":false,"channels":["sms","slack"]},"marketing.*":{"opted_out":true}}}`},
			[]string{"user_7 is kept, and has the version 3\n"}, nil, 0},
		{"put nothing, for no tenant", "put user_7 --json", []commandtest.Answered{commandtest.Ok(ann)},
			[]string{`PUT /api/v1/tenants/-/recipients/user_7 {"addresses":{},"channels":[],"topics":{}}`}, []string{`{"id":"user_7",`}, nil, 0},
		{"no address", "put user_7 --address ann@acme.test", nil, nil, nil, []string{"is not as email=ann@acme.test"}, 2},
		{"no id", "show a/b", nil, nil, nil, []string{`the id "a/b" must be the id of a recipient`}, 2},
		{"a tenant that leads elsewhere", "list --tenant ..", nil, nil, nil, []string{"no tenant's name"}, 2},
		{"show", "show user_7 --tenant acme", []commandtest.Answered{commandtest.Ok(ann)}, []string{"GET" + on + "/user_7"},
			[]string{"Addresses  email=ann@acme.test email=a@home.test sms=+46701234567\n", "Channels   sms,email\n",
				"a= marketing.*=none\n"}, nil, 0},
		{"list", "list --tenant acme --limit 2", []commandtest.Answered{commandtest.Ok(directory.Recipients{Items: []recipient.Recipient{ann},
			Cursor: "x"}),
			commandtest.Ok(directory.Recipients{Items: []recipient.Recipient{ann}, Cursor: "y"})},
			[]string{"GET" + on + "?cursor=&limit=2", "GET" + on + "?cursor=x&limit=1"},
			[]string{"RECIPIENT  ADDRESSES", "user_7 "}, []string{"2 recipients; more with --limit\n"}, 0},
		{"patch", `patch user_7 {"addresses":{"sms":null}} --tenant acme`, []commandtest.Answered{commandtest.Ok(ann)},
			[]string{"PATCH" + on + `/user_7 {"addresses":{"sms":null}}`}, []string{"user_7 is changed, and has the version 3\n"}, nil, 0},
		{"patch by what is no JSON", "patch user_7 {", nil, nil, nil, []string{"the patch is not a JSON object"}, 2},
		{"opt out", "opt-out user_7 marketing.* --tenant acme", []commandtest.Answered{commandtest.Ok(ann)},
			[]string{"PATCH" + on + `/user_7 {"topics":{"marketing.*":{"opted_out":true}}}`}, []string{"has opted out of marketing.*"}, nil, 0},
		{"opt in", "opt-in user_7 a --tenant acme", []commandtest.Answered{commandtest.Ok(ann)},
			[]string{"PATCH" + on + `/user_7 {"topics":{"a":{"opted_out":false}}}`}, []string{"user_7 gets a"}, nil, 0},
		{"rm", "rm user_7 -y --tenant acme", []commandtest.Answered{{204, nil}}, []string{"DELETE" + on + "/user_7"},
			[]string{"removed user_7\n"}, nil, 0},
		{"rm without a word", "rm user_7", nil, nil, nil, []string{"--yes"}, 2},
		{"import", "import --tenant acme " + people, []commandtest.Answered{commandtest.Ok(ann), commandtest.Ok(ann)},
			[]string{"PUT" + on + `/a {"id":"a"}`, "PUT" + on + `/b {"id":"b","channels":["sms"]}`}, nil,
			[]string{`line 4: the id "c/d" must be`, "2 are kept before it"}, 2},
		{"import what is not there", "import nothing.ndjson", nil, nil, nil, []string{"nothing.ndjson"}, 1},
	})
}

// TestNotifyToARecipient: what --to makes, and what can't be meant.
func TestNotifyToARecipient(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]produce.NotifyCommand{
		`{"to":"user_7","topic":"invoice.paid","body":"b"}`:     {To: []string{"user_7"}, Topic: "invoice.paid", Body: "b"},
		`{"channel":"email","recipient":"a@b.test","body":"b"}`: {Recipient: []string{"a@b.test"}, Channel: "email", Body: "b"},
		`{"channel":"sms","to":["a","b"],"body":"b","fallback":[]}`: {To: []string{"a", "b"}, Channel: "sms", Fallback: []string{"none"},
			Body: "b"},
		`{"to":"user","body":"b","recipients":{"sms":"+46701234567"}}`: {To: []string{"user"}, Body: "b",
			Recipients: map[string]string{"sms": "+46701234567"}},
	} {
		if got, err := c.Message(); err != nil || got != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
	for _, c := range []produce.NotifyCommand{{To: []string{"a/b"}, Body: "b"}, {Recipient: []string{"a@b.test"}, Body: "b"},
		{To: []string{"a"}, Topic: "a..b", Body: "b"}, {To: []string{"a"}, Each: true, Body: "b"}} {
		if got, err := c.Message(); err == nil {
			t.Errorf("%+v made %s", c, got)
		}
	}
}
