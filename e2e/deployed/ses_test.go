//go:build e2e

package deployed

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/channel"
)

// TestDeployedWithSES sends email by SES, as the stack was told that it may.
// It is not where permissions are enforced: MiniStack takes SendEmail's
// resource to be everything, where AWS takes the sender's identity.
func TestDeployedWithSES(t *testing.T) {
	target := newTarget(t)
	config := target.start(t, false)
	chosen := maps.Clone(choices)
	chosen["ses"] = "true"
	s, _, _ := deploy(t, target, config, chosen)
	s.PutSecret(t, channel.EmailSecret, `{"ses": true, "from": "Efferent <noreply@efferent.test>"}`)

	send := func(id string) []attempt.Record {
		s.SendTo(t, "notifications", `{"id": "`+id+`", "channel": "email", "recipient": "ann@acme.test",`+
			` "subject": "Ångström", "body": "It is `+
			`paid.", "fallback": []}`)
		return s.Attempts(t, id)
	}
	if got := send("n_unverified"); len(got) != 1 || got[0].Class != string(channel.Configuration) {
		t.Errorf("from a sender that SES does not know: %+v", got)
	}
	if _, err := sesv2.NewFromConfig(config).CreateEmailIdentity(
		t.Context(), &sesv2.CreateEmailIdentityInput{EmailIdentity: aws.String("noreply@efferent.test")}); err != nil {
		t.Fatal(err)
	}
	got := send("n_verified")
	if len(got) != 1 || got[0].Verdict != attempt.Delivered || got[0].ProviderID == "" {
		t.Fatalf("from one that it knows: %+v", got)
	}
	resp, err := http.Get(target.Endpoint + "/_ministack/ses/messages")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var mails struct {
		Messages map[string][]struct{ MessageID, Source, Subject, BodyText string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&mails); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s, %v", resp.Status, err)
	}
	sent := mails.Messages[target.Account]
	if len(sent) != 1 || sent[0].Source != "Efferent <noreply@efferent.test>" || sent[0].Subject != "Ångström" ||
		sent[0].BodyText != "It is paid." ||
		!strings.HasPrefix(sent[0].MessageID, got[0].ProviderID) {
		t.Errorf("SES sent %+v as %s", mails, got[0].ProviderID)
	}
}
