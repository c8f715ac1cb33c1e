package sqsserver_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// places are clients of one endpoint, by region and access key.
type places struct {
	*bundle
	url string
	log bytes.Buffer
}

func newPlaces(t *testing.T) *places {
	p := &places{bundle: newBundle(t)}
	b := p.bundle
	b.options = func(o *sqsserver.Options) {
		o.Own = []string{"own", "own.fifo"}
		o.Logger = slog.New(slog.NewTextHandler(&p.log, nil))
	}
	b.restart()
	b.create("own", nil)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sqsserver.NewHandler(b.Engine).ServeHTTP(w, r) // the one that was opened last
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p
}

func (p *places) client(region, key string) *sqs.Client {
	return sqs.New(sqs.Options{Region: region, BaseEndpoint: &p.url, Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(key, "secret", "")})
}

func (p *places) createAt(c *sqs.Client, name string, set attributes) (url, arn string) {
	p.t.Helper()
	out, err := c.CreateQueue(p.t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: set})
	p.must(err)
	got, err := c.GetQueueAttributes(p.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: out.QueueUrl,
		AttributeNames: []types.QueueAttributeName{"QueueArn"}})
	p.must(err)
	return *out.QueueUrl, got.Attributes["QueueArn"]
}

func (p *places) listed(c *sqs.Client) string {
	p.t.Helper()
	out, err := c.ListQueues(p.t.Context(), &sqs.ListQueuesInput{})
	p.must(err)
	for i := range out.QueueUrls {
		out.QueueUrls[i] = strings.TrimPrefix(out.QueueUrls[i], p.url)
	}
	return strings.Join(out.QueueUrls, " ")
}

func TestRegionsAndAccountsKeepTheirQueuesApart(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	clients := map[string]*sqs.Client{
		"arn:aws:sqs:us-east-1:000000000000:q": p.client("us-east-1", "test"),
		"arn:aws:sqs:eu-west-1:000000000000:q": p.client("eu-west-1", "test"),
		"arn:aws:sqs:us-east-1:123456789012:q": p.client("us-east-1", "123456789012"),
		"arn:aws:sqs:eu-west-1:123456789012:q": p.client("eu-west-1", "123456789012"),
	}
	for want, c := range clients {
		account := strings.Split(want, ":")[4]
		url, arn := p.createAt(c, "q", nil)
		if arn != want || url != p.url+"/"+account+"/q" {
			t.Errorf("%s: %s, %s", want, arn, url)
		}
		_, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &want})
		p.must(err)
		if got := p.listed(c); got != "/000000000000/own /"+account+"/q" && got != "/"+account+"/q /000000000000/own" {
			t.Errorf("%s lists %s", want, got)
		}
	}
	p.restart()
	for want, c := range clients {
		for _, url := range []string{"q", p.url + "/" + strings.Split(want, ":")[4] + "/q"} {
			out, err := c.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10})
			p.must(err)
			if len(out.Messages) > 1 || len(out.Messages) == 1 && *out.Messages[0].Body != want {
				t.Errorf("%s received %d messages", want, len(out.Messages))
			}
		}
	}
}

func TestAQueueOfAnotherAccountIsFoundByItsOwner(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	url, arn := p.createAt(p.client("eu-west-1", "123456789012"), "q", nil)
	other := p.client("eu-west-1", "test")
	_, err := other.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("q")})
	p.wantCode(err, "AWS.SimpleQueueService.NonExistentQueue")
	out, err := other.GetQueueUrl(t.Context(), &sqs.GetQueueUrlInput{QueueName: aws.String("q"),
		QueueOwnerAWSAccountId: aws.String("123456789012")})
	p.must(err)
	if *out.QueueUrl != url {
		t.Errorf("the URL is %s", *out.QueueUrl)
	}
	_, err = other.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
	p.must(err)
	_, err = p.client("us-east-1", "123456789012").SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: &url, MessageBody: aws.String("x")})
	p.wantCode(err, "AWS.SimpleQueueService.NonExistentQueue")
	_, err = p.client("us-east-1", "test").SendMessage(t.Context(), &sqs.SendMessageInput{
		QueueUrl: aws.String("eu-west-1:123456789012:q"), MessageBody: aws.String("x")})
	p.wantCode(err, "AWS.SimpleQueueService.NonExistentQueue")
	_, err = other.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("source"),
		Attributes: attributes{"RedrivePolicy": `{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":1}`}})
	p.wantCode(err, "InvalidParameterValue")
}

func TestDeadLettersInAnotherRegion(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	c := p.client("eu-west-1", "123456789012")
	dlq, arn := p.createAt(c, "dlq", nil)
	source, _ := p.createAt(c, "source", attributes{"RedrivePolicy": `{"deadLetterTargetArn":"` + arn + `","maxReceiveCount":1}`})
	out, err := c.ListDeadLetterSourceQueues(t.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: &dlq})
	p.must(err)
	if !slices.Equal(out.QueueUrls, []string{source}) {
		t.Errorf("the sources are %v", out.QueueUrls)
	}
	_, err = c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &source, MessageBody: aws.String("x")})
	p.must(err)
	for range 2 {
		_, err := c.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &source, VisibilityTimeout: 1})
		p.must(err)
		p.advance(time.Second)
	}
	p.restart()
	got, err := c.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &dlq})
	p.must(err)
	if len(got.Messages) != 1 {
		t.Errorf("received %d messages", len(got.Messages))
	}
}

func TestOwnQueuesAreFoundFromEverywhere(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	for _, c := range []*sqs.Client{p.client("us-east-1", "test"), p.client("eu-west-1", "test"), p.client("eu-west-1", "123456789012")} {
		for _, url := range []string{"own", p.url + "/000000000000/own", p.url + "/123456789012/own"} {
			_, err := c.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: aws.String("x")})
			p.must(err)
		}
		if _, arn := p.createAt(c, "own", nil); arn != "arn:aws:sqs:us-east-1:000000000000:own" {
			t.Errorf("the ARN is %s", arn)
		}
		if got := p.listed(c); got != "/000000000000/own" {
			t.Errorf("lists %s", got)
		}
	}
	p.wantCounts("own", 9, 0, 0)
}

func TestOwnQueuesAreThereAgainWhenDeleted(t *testing.T) {
	t.Parallel()
	p := newPlaces(t)
	p.create("own.fifo", byContent)
	for _, restart := range []bool{false, true} {
		p.log.Reset()
		p.send("own", "a", "b")
		held := p.receive("own")
		p.sendFIFO("own.fifo", "g", "", "a")
		p.remove("own")
		p.remove("own.fifo")
		if restart {
			p.restart()
		}
		p.wantCounts("own", 0, 0, 0)
		p.delete("own", held...)
		p.send("own", "c")
		p.delete("own", p.want("own", "c")...)
		p.sendFIFO("own.fifo", "g", "", "a") // no duplicate: the queue is new
		p.delete("own.fifo", p.want("own.fifo", "a")...)
		p.remove("own.fifo")
		if got := strings.Count(p.log.String(), "made again"); !restart && got != 3 {
			t.Errorf("logged %d times:\n%s", got, &p.log)
		}
	}
}

func TestAnOwnQueueThatIsNotEmptied(t *testing.T) {
	t.Parallel()
	for _, f := range []fault{lost, persisted} {
		p := newPlaces(t)
		p.send("own", "a", "b")
		p.store.fail(f)
		p.wantCode(p.tryRemove("own"), "InternalFailure")
		p.wantCounts("own", 2, 0, 0)
		p.must(p.tryRemove("own"))
		p.restart()
		p.wantCounts("own", 0, 0, 0)
	}
}
