package sqsserver_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// TestTheTraceHeaderOfARequest becomes that of its messages, unless they have
// one of their own ("Amazon SQS and AWS X-Ray"; LocalStack's
// test_aws_trace_header_propagation, recorded on AWS).
func TestTheTraceHeaderOfARequest(t *testing.T) {
	t.Parallel()
	const header, own = "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1", "Root=1-00000000-000000000000000000000000"
	attribute := `"MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"` + own + `"}}`
	for name, c := range map[string]struct {
		target, body, header string
		want                 []string
	}{
		"a message": {"SendMessage", `{"QueueUrl":"q","MessageBody":"x"}`, header, []string{header}},
		"a batch": {"SendMessageBatch",
			`{"QueueUrl":"q","Entries":[{"Id":"1","MessageBody":"x"},{"Id":"2","MessageBody":"y",` + attribute + `}]}`,
			header, []string{header, own}},
		"an attribute goes before it": {"SendMessage", `{"QueueUrl":"q","MessageBody":"x",` + attribute + `}`, header, []string{own}},
		"a query":                     {"", "Action=SendMessage&QueueUrl=q&MessageBody=x", header, []string{header}},
		"none":                        {"SendMessage", `{"QueueUrl":"q","MessageBody":"x"}`, "", []string{""}},
		"one that is no text":         {"SendMessage", `{"QueueUrl":"q","MessageBody":"x"}`, "\x7f\xff", []string{""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			b.create("q", nil)
			r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
			if c.target != "" {
				r.Header.Set("X-Amz-Target", "AmazonSQS."+c.target)
			}
			if c.header != "" {
				r.Header.Set("X-Amzn-Trace-Id", c.header)
			}
			w := httptest.NewRecorder()
			sqsserver.NewHandler(b.Engine).ServeHTTP(w, r)
			if digest := strings.Contains(w.Body.String(), "MD5OfMessageSystemAttributes"); digest != strings.Contains(c.body, own) {
				t.Errorf("answered %s", w.Body)
			}
			b.restart()
			out, err := b.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url("q"), MaxNumberOfMessages: 10,
				MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameAWSTraceHeader}})
			b.must(err)
			if len(out.Messages) != len(c.want) {
				t.Fatalf("received %d messages", len(out.Messages))
			}
			for i, want := range c.want {
				if got := out.Messages[i].Attributes["AWSTraceHeader"]; got != want {
					t.Errorf("message %d has %q, want %q", i, got, want)
				}
			}
		})
	}
}
