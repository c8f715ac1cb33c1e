package dev

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/ownqueues"
	"github.com/efferent/efferent/e2e/scenario"
	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/settings"
)

func TestHostsThatAreAllowed(t *testing.T) {
	t.Parallel()
	s := commandtest.StartProcess(t, nil, "dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", ":memory:",
		"--allow-host", "host.docker.internal", "--allow-host", "efferent")
	for host, refused := range map[string]bool{
		"host.docker.internal:4566": false, "efferent": false, "localhost": false, "rebound.example": true,
	} {
		for _, base := range []string{s.AWSURL, s.HTTPURL} {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/deliveries/x", nil)
			if err != nil {
				t.Fatal(err)
			}
			req.Host = host
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if refused != (resp.StatusCode == http.StatusForbidden) {
				t.Errorf("%s answered %s to Host %s", base, resp.Status, host)
			}
		}
	}
}

func TestAHostIsAllowedByItsNameAlone(t *testing.T) {
	t.Parallel()
	l, err := Open(t.Context(), Config{AWS: "127.0.0.1:0", HTTP: "127.0.0.1:0", Data: ":memory:", AllowHosts: []string{"*.internal"},
		Getenv: func(string) string { return "" }, Log: slog.New(slog.DiscardHandler)})
	if err == nil {
		l.Close()
		t.Fatal("a wildcard is taken")
	}
	if !strings.Contains(err.Error(), `--allow-host: "*.internal" is no host name`) {
		t.Errorf("got %v", err)
	}
}

// TestQueuesThatAreDeletedWorkOn: somebody tidies up, and takes Efferent's own
// queues along.
func TestQueuesThatAreDeletedWorkOn(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	for _, name := range ownqueues.Names() {
		if _, err := s.SQS.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: s.QueueURL(t, name)}); err != nil {
			t.Fatal(err)
		}
	}
	endpoint := scenario.NewEndpoint(t, scenario.OK)
	s.Send(t, scenario.Text("after", endpoint.URL))
	s.AttemptsUntil(t, "after", func(v attempt.Verdict) bool { return v == attempt.Delivered })
	if policy := s.Attributes(t, settings.WebhooksQueue)["RedrivePolicy"]; policy == "" {
		t.Error("the queue has no redrive policy any more")
	}
}

// TestAClientOfAnotherRegionAndAccount finds Efferent's queues, and is told who
// it is.
func TestAClientOfAnotherRegionAndAccount(t *testing.T) {
	t.Parallel()
	s := startLocal(t)
	config := scenario.Config(s.AWSURL)
	config.Region, config.Credentials = "eu-west-1", credentials.NewStaticCredentialsProvider("123456789012", "any", "")
	identity, err := sts.NewFromConfig(config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *identity.Account != "123456789012" {
		t.Fatalf("identity %+v, %v", identity, err)
	}
	client := sqs.NewFromConfig(config)
	queue, err := client.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String(settings.WebhooksQueue)})
	if err != nil {
		t.Fatal(err)
	}
	endpoint := scenario.NewEndpoint(t, scenario.OK)
	if _, err := client.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: queue.QueueUrl,
		MessageBody: aws.String(scenario.Text("far", endpoint.URL))}); err != nil {
		t.Fatal(err)
	}
	s.AttemptsUntil(t, "far", func(v attempt.Verdict) bool { return v == attempt.Delivered })
}
