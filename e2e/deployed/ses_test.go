//go:build e2e

package deployed

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/efferent/efferent/e2e/scenario"
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
	chosen["ses"], chosen["sesReports"] = "true", "e2e-mails"
	s, _, _ := deploy(t, target, config, chosen)
	s.PutSecret(t, channel.EmailSecret, `{"ses": true, "from": "Efferent <noreply@efferent.test>", "configuration_set": "e2e-mails"}`)

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
	t.Run("SES reports", func(t *testing.T) { sesReports(t, s, config, got[0]) })
}

// sesReports publishes on the stack's topic what SES would of a mail that came back:
// MiniStack's SES has no events, and its SNS hands on what it is told.
func sesReports(t *testing.T, s *scenario.Stack, config aws.Config, sent attempt.Record) {
	if sent.State != attempt.Accepted {
		t.Errorf("what SES took is %q before anything is reported", sent.State)
	}
	topics := sns.NewFromConfig(config)
	all, err := topics.ListTopics(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(all.Topics, func(topic types.Topic) bool { return strings.Contains(*topic.TopicArn, "SesEvents") })
	if at < 0 {
		t.Fatalf("the stack has no topic: %v", all.Topics)
	}
	const event = `{"eventType": "Bounce", "mail": {"timestamp": "2026-11-26T12:00:00Z", "destination": ["ann@acme.test"], "tags": {
		"ses:configuration-set": ["e2e-mails"], "efferent-id": [%q], "efferent-message": [%q], "efferent-attempt": ["%d"]}},
		"bounce": {"bounceType": "Permanent", "bounceSubType": "General", "timestamp": "2026-11-26T12:00:01Z",
		"bouncedRecipients": [{"emailAddress": "ann@acme.test", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}]}}`
	for range 2 { // SNS may say it twice
		if _, err := topics.Publish(t.Context(), &sns.PublishInput{TopicArn: all.Topics[at].TopicArn,
			Message: aws.String(fmt.Sprintf(event, sent.WebhookID, sent.MessageID, sent.Attempt))}); err != nil {
			t.Fatal(err)
		}
	}
	s.State(t, sent.WebhookID, 1, attempt.Bounced)
	s.AwaitEmpty(t, "reports")
	s.SendTo(t, "notifications", `{"id": "n_again", "channel": "email", "recipient": "ann@acme.test", "subject": "s", "body": "b",
		"fallback": []}`)
	if all := s.Attempts(t, "n_again"); all[len(all)-1].Class != string(channel.OptedOut) {
		t.Errorf("after a hard bounce: %+v", all)
	}
}
