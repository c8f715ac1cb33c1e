package ownqueues_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"github.com/efferent/efferent/cmd/efferent/commandtest"
	"github.com/efferent/efferent/cmd/efferent/devtest"
	"github.com/efferent/efferent/cmd/efferent/ownqueues"
	awssqs "github.com/efferent/efferent/internal/aws/sqs"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/settings"
	"github.com/efferent/efferent/internal/sqlite"
)

// golden are the queues of the template that a deployment is made of, by their
// names, their attributes as CloudFormation has them.
func golden(t *testing.T) (queues map[string]map[string]any, policies []map[string]any) {
	t.Helper()
	b, err := os.ReadFile("../../../infra/cdk/efferent/testdata/template.json")
	if err != nil {
		t.Fatal(err)
	}
	var template struct {
		Resources map[string]struct {
			Type       string
			Properties map[string]any
		}
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber() // 1209600 is no 1.2096e+06
	if err := d.Decode(&template); err != nil {
		t.Fatal(err)
	}
	queues = map[string]map[string]any{}
	for _, r := range template.Resources {
		switch r.Type {
		case "AWS::SQS::Queue":
			queues[fmt.Sprint(r.Properties["QueueName"])] = r.Properties
		case "AWS::SQS::QueuePolicy":
			policies = append(policies, r.Properties)
		}
	}
	return queues, policies
}

// TestQueuesAreAsDeployed: what queues create and dev make is what the CDK makes.
func TestQueuesAreAsDeployed(t *testing.T) {
	t.Parallel()
	deployed, _ := golden(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(deployed)), slices.Sorted(slices.Values(ownqueues.Names()))); diff != "" {
		t.Errorf("other queues are deployed (-deployed +ours):\n%s", diff)
	}
	s := devtest.StartEndpoint(t)
	s.Queues(t, "--prefix", "p-")
	for name, want := range deployed {
		delete(want, "QueueName")
		got := s.Attributes(t, "p-"+name)
		dead, _ := want[ownqueues.RedrivePolicy].(map[string]any)
		if delete(want, ownqueues.RedrivePolicy); dead != nil {
			p, err := awssqs.ParseRedrive(got[ownqueues.RedrivePolicy])
			if err != nil || fmt.Sprint(p.Receives) != fmt.Sprint(dead["maxReceiveCount"]) ||
				"p-"+deployedName(t, dead["deadLetterTargetArn"]) != ownqueues.NameInARN(p.Target) {
				t.Errorf("%s: %s, %v; want %v", name, got[ownqueues.RedrivePolicy], err, dead)
			}
		}
		allow, _ := want[ownqueues.RedriveAllow].(map[string]any)
		if delete(want, ownqueues.RedriveAllow); allow != nil {
			source := fmt.Sprint(allow["sourceQueueArns"].([]any)[0])
			var is struct{ SourceQueueArns []string }
			if err := json.Unmarshal([]byte(got[ownqueues.RedriveAllow]), &is); err != nil || len(is.SourceQueueArns) != 1 ||
				!strings.Contains(source, ":"+strings.TrimPrefix(ownqueues.NameInARN(is.SourceQueueArns[0]), "p-")+"]") {
				t.Errorf("%s: takes from %s, want from %s", name, got[ownqueues.RedriveAllow], source)
			}
		}
		for attribute, value := range want {
			if fmt.Sprint(value) != got[attribute] {
				t.Errorf("%s: %s is %q, and %v where it is deployed", name, attribute, got[attribute], value)
			}
		}
		for attribute := range ownqueues.Attributes(name) {
			if _, ok := want[attribute]; !ok {
				t.Errorf("%s: a deployment says nothing of %s", name, attribute)
			}
		}
	}
}

// deployedName is the name of the queue that a GetAtt of the template names.
func deployedName(t *testing.T, arn any) string {
	t.Helper()
	id := arn.(map[string]any)["Fn::GetAtt"].([]any)[0].(string)
	for part, name := range map[string]string{"WebhookFailures": "webhook-failures", "NotificationFailures": "notification-failures",
		"EventFailures": "event-failures", "AuditFailures": settings.AuditFailuresQueue} {
		if strings.Contains(id, part) {
			return name
		}
	}
	t.Fatalf("what queue is %s?", id)
	return ""
}

// TestTransportPolicy: it is the one that the CDK writes.
func TestTransportPolicy(t *testing.T) {
	t.Parallel()
	_, policies := golden(t)
	if len(policies) != len(ownqueues.Names()) {
		t.Errorf("%d policies are deployed", len(policies))
	}
	for _, p := range policies {
		var ours any
		if err := json.Unmarshal([]byte(ownqueues.TLSOnly("ARN")), &ours); err != nil {
			t.Fatal(err)
		}
		document := p["PolicyDocument"].(map[string]any)
		document["Statement"].([]any)[0].(map[string]any)["Resource"] = "ARN"
		if diff := cmp.Diff(any(document), ours); diff != "" {
			t.Errorf("-deployed +ours:\n%s", diff)
		}
	}
}

// TestQueuesCreateAgain: what is there stays, its differences are told, and only
// what is asked for is changed.
func TestQueuesCreateAgain(t *testing.T) {
	t.Parallel()
	s := devtest.StartEndpoint(t)
	for range 2 {
		if out := s.Queues(t); strings.Contains(out, "made") || strings.Contains(out, "should") || !strings.Contains(out, "is there") {
			t.Errorf("it says %q of queues that are as they should be", out)
		}
	}
	for name, set := range map[string]map[string]string{
		"webhooks":         {ownqueues.Visibility: "30", ownqueues.RedrivePolicy: ""},
		"audit.fifo":       {ownqueues.Retention: "600"},
		"notifications":    {ownqueues.Encrypted: "false", "KmsMasterKeyId": "alias/mine"},
		"webhook-failures": {ownqueues.RedriveAllow: ""},
	} {
		in := &sqs.SetQueueAttributesInput{QueueUrl: s.QueueURL(t, name), Attributes: set}
		if _, err := s.SQS.SetQueueAttributes(t.Context(), in); err != nil {
			t.Fatal(err)
		}
	}
	out := s.Queues(t)
	for _, want := range []string{"VisibilityTimeout is 30\n    and should be 180", "RedrivePolicy is not set\n    and should be 6 receives",
		"MessageRetentionPeriod is 600\n    and should be 1209600", "RedriveAllowPolicy is not set", "--update "} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not tell %q:\n%s", want, out)
		}
	}
	for line := range strings.Lines(out) {
		if len(line) > 80 && !strings.Contains(line, "--update") { // a command is in one piece
			t.Errorf("wider than a terminal: %s", line)
		}
	}
	if strings.Contains(out, ownqueues.Encrypted) {
		t.Errorf("a key of one's own is no difference:\n%s", out)
	}
	if a := s.Attributes(t, "webhooks"); a[ownqueues.Visibility] != "30" || a[ownqueues.RedrivePolicy] != "" {
		t.Errorf("it changed what it was not asked to: %v", a)
	}
	s.Queues(t, "--update", ownqueues.RedrivePolicy)
	if a := s.Attributes(t, "webhooks"); a[ownqueues.Visibility] != "30" || !strings.Contains(a[ownqueues.RedrivePolicy], "webhook-failures") {
		t.Errorf("asked for the redrive policy it made %v", a)
	}
	if out := s.Queues(t, "--update", "all"); strings.Contains(out, "should") {
		t.Errorf("it left %s", out)
	}
	if out := s.Queues(t); strings.Contains(out, "should") {
		t.Errorf("after --update all there is left %s", out)
	}
}

// TestQueuesCreateRefuses what can't be meant.
func TestQueuesCreateRefuses(t *testing.T) {
	t.Parallel()
	s := devtest.StartEndpoint(t)
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--prefix", "a.b-"}, "--prefix"},
		{[]string{"--prefix", strings.Repeat("a", 60)}, "--prefix"},
		{[]string{"--max-receives", "1"}, "--max-receives 1"},
		{[]string{"--update", "DelaySeconds"}, "--update DelaySeconds"},
		{[]string{"--endpoint-url", "http://127.0.0.1:1"}, "no efferent dev answers"},
	} {
		stdout, stderr, err := s.Command("", append([]string{"queues", "create", "--dev"}, c.args...)...)
		if err == nil || !strings.Contains(stderr, c.says) || stdout != "" {
			t.Errorf("%v: %v, %q %q; want it to tell %q", c.args, err, stdout, stderr, c.says)
		}
	}
}

// TestQueuesCreateAsJSON tells all that the text does.
func TestQueuesCreateAsJSON(t *testing.T) {
	t.Parallel()
	s := devtest.StartEndpoint(t)
	if _, err := s.SQS.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: s.QueueURL(t, "webhooks"),
		Attributes: map[string]string{ownqueues.Visibility: "60"}}); err != nil {
		t.Fatal(err)
	}
	var out struct{ Queues []ownqueues.Made }
	if err := json.Unmarshal([]byte(s.Queues(t, "--json", "--update", ownqueues.Visibility)), &out); err != nil || len(out.Queues) != 8 {
		t.Fatalf("%v: %+v", err, out)
	}
	want := ownqueues.Made{Name: "webhooks", URL: aws.ToString(s.QueueURL(t, "webhooks")), Untaken: []string{},
		Differences: []ownqueues.Difference{{Attribute: ownqueues.Visibility, Is: "60", Deployed: "180", Changed: true}}}
	if diff := cmp.Diff(want, out.Queues[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// overTLS are queues whose URLs are as AWS's, and a creation that failed so often.
type overTLS struct {
	*sqsserver.Engine
	refuse map[string]error
}

func (o *overTLS) CreateQueue(ctx context.Context, in *sqs.CreateQueueInput, f ...func(*sqs.Options)) (*sqs.CreateQueueOutput, error) {
	for attribute, err := range o.refuse {
		if _, ok := in.Attributes[attribute]; ok {
			return nil, err
		}
	}
	out, err := o.Engine.CreateQueue(ctx, in, f...)
	if err == nil {
		out.QueueUrl = aws.String("https://sqs.test/000000000000/" + *in.QueueName)
	}
	return out, err
}

func (o *overTLS) GetQueueUrl(ctx context.Context, in *sqs.GetQueueUrlInput, f ...func(*sqs.Options)) (*sqs.GetQueueUrlOutput, error) {
	out, err := o.Engine.GetQueueUrl(ctx, in, f...)
	if err == nil {
		out.QueueUrl = aws.String("https://sqs.test/000000000000/" + *in.QueueName)
	}
	return out, err
}

func (o *overTLS) SetQueueAttributes(ctx context.Context, in *sqs.SetQueueAttributesInput, f ...func(*sqs.Options)) (
	*sqs.SetQueueAttributesOutput, error) {
	for attribute, err := range o.refuse {
		if _, ok := in.Attributes[attribute]; ok {
			return nil, err
		}
	}
	return o.Engine.SetQueueAttributes(ctx, in, f...)
}

// TestQueuesOfAWS take TLS only, and are not used at once. What an endpoint knows
// nothing of is left out, and told.
func TestQueuesOfAWS(t *testing.T) {
	t.Parallel()
	unknown := &types.InvalidAttributeName{Message: aws.String("Unknown Attribute.")}
	for _, c := range []struct {
		name    string
		refuse  map[string]error
		untaken []string
		fails   string
	}{
		{"AWS", nil, []string{}, ""},
		{"no encryption", map[string]error{ownqueues.Encrypted: unknown}, []string{ownqueues.Encrypted}, ""},
		{"no allow policies", map[string]error{ownqueues.RedriveAllow: unknown}, []string{ownqueues.RedriveAllow}, ""},
		{"no policies", map[string]error{ownqueues.Transport: unknown}, []string{ownqueues.Transport}, ""},
		{"denied", map[string]error{ownqueues.RedriveAllow: errors.New("AccessDenied")}, nil, "AccessDenied"},
		{"deleted just now", map[string]error{ownqueues.Retention: &types.QueueDeletedRecently{}}, nil, "webhook-failures"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			db, err := sqlite.Open(":memory:")
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			engine, err := sqsserver.Open(t.Context(), sqlite.NewQueues(db), sqsserver.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer engine.Close()
			settled := 0
			m := ownqueues.Maker{API: &overTLS{engine, c.refuse}, Receives: 6, Settle: func(context.Context) { settled++ }}
			made, err := m.All(t.Context())
			if c.fails != "" {
				if err == nil || !strings.Contains(err.Error(), c.fails) {
					t.Errorf("%v, want it to tell %s", err, c.fails)
				}
				return
			}
			if err != nil || len(made) != 8 || settled != 8 || !slices.Equal(made[1].Untaken, c.untaken) {
				t.Fatalf("%v: %+v, waited %d times", err, made, settled)
			}
			if a := commandtest.Attributes(t, engine, "webhooks"); c.refuse[ownqueues.Transport] == nil &&
				a[ownqueues.Transport] != ownqueues.TLSOnly(a["QueueArn"]) {
				t.Errorf("its policy is %s", a[ownqueues.Transport])
			}
		})
	}
}
