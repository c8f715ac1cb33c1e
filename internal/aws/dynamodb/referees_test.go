//go:build dynamodb

package awsdynamodb

import (
	"errors"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"

	"github.com/efferent/efferent/internal/attempt"
)

func failed(n int) attempt.Record {
	return attempt.Record{WebhookID: uuid.NewString(), MessageID: uuid.NewString(), Attempt: n, At: time.Now().UTC(),
		Verdict: attempt.Permanent}
}

func puts(t *testing.T, records ...attempt.Record) (requests []types.WriteRequest) {
	t.Helper()
	for _, r := range records {
		item, err := toItem(r)
		if err != nil {
			t.Fatal(err)
		}
		requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
	}
	return requests
}

// testBatches shows the two bounds of a request that Put keeps to ("BatchWriteItem"
// in the DynamoDB API reference: "There are more than 25 requests in the batch",
// "multiple operations on the same item"): past them nothing at all is written.
func testBatches(t *testing.T, client *sdk.Client) {
	first := failed(1)
	for name, requests := range map[string][]types.WriteRequest{
		"26 items":            puts(t, append(many(25), first)...),
		"the same item twice": puts(t, first, failed(1), first),
	} {
		_, err := client.BatchWriteItem(t.Context(), &sdk.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{"attempts": requests}})
		var refused smithy.APIError
		if !errors.As(err, &refused) || refused.ErrorCode() != "ValidationException" {
			t.Errorf("%s: %v, want a ValidationException", name, err)
		}
	}
	if got, err := (&Attempts{API: client, Table: "attempts"}).OfWebhook(t.Context(), first.WebhookID); err != nil || len(got) != 0 {
		t.Errorf("a refused batch has written %+v, %v", got, err)
	}
}

func many(n int) (all []attempt.Record) {
	for range n {
		all = append(all, failed(1))
	}
	return all
}

// testExpiry shows that the table takes expires_at as its TTL, and that items
// hold it the way that a TTL is read: a number of seconds since 1970 ("Using time
// to live (TTL) in DynamoDB" in the DynamoDB developer guide).
func testExpiry(t *testing.T, client *sdk.Client) {
	if _, err := client.UpdateTimeToLive(t.Context(), &sdk.UpdateTimeToLiveInput{TableName: aws.String("attempts"),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String(expiresName), Enabled: aws.Bool(true)}}); err != nil {
		t.Fatal(err)
	}
	out, err := client.DescribeTimeToLive(t.Context(), &sdk.DescribeTimeToLiveInput{TableName: aws.String("attempts")})
	if err != nil || aws.ToString(out.TimeToLiveDescription.AttributeName) != expiresName {
		t.Errorf("the table's TTL is %+v, %v", out, err)
	}
	r := failed(1)
	if err := (&Attempts{API: client, Table: "attempts"}).Put(t.Context(), []attempt.Record{r}); err != nil {
		t.Fatal(err)
	}
	item, err := client.GetItem(t.Context(), &sdk.GetItemInput{TableName: aws.String("attempts"), ConsistentRead: aws.Bool(true),
		Key: map[string]types.AttributeValue{
			webhookIDName: &types.AttributeValueMemberS{Value: r.WebhookID}, sortKeyName: &types.AttributeValueMemberS{Value: r.SortKey()},
		}})
	if err != nil {
		t.Fatal(err)
	}
	expires, ok := item.Item[expiresName].(*types.AttributeValueMemberN)
	if want := strconv.FormatInt(r.At.Add(attempt.Retention).Unix(), 10); !ok || expires.Value != want {
		t.Errorf("the item expires at %v, want the number %s", item.Item[expiresName], want)
	}
}

// testSparseIndex looks at all that the index holds: "Using Global Secondary
// Indexes in DynamoDB" says that an item without the index's key is not in it.
func testSparseIndex(t *testing.T, client *sdk.Client) {
	store := &Attempts{API: client, Table: "attempts"}
	in, out, forgotten := failed(1), failed(1), failed(1)
	out.Verdict = attempt.Delivered
	if err := store.Put(t.Context(), []attempt.Record{in, out, forgotten}); err != nil {
		t.Fatal(err)
	}
	if err := store.ForgetFailures(t.Context(), []attempt.Record{forgotten}); err != nil {
		t.Fatal(err)
	}
	var ids []string
	scan := &sdk.ScanInput{TableName: aws.String("attempts"), IndexName: aws.String(failuresIndex)}
	for pages := sdk.NewScanPaginator(client, scan); pages.HasMorePages(); {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			r, err := fromItem(item)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, r.WebhookID)
		}
	}
	if !slices.Contains(ids, in.WebhookID) || slices.Contains(ids, out.WebhookID) || slices.Contains(ids, forgotten.WebhookID) {
		t.Errorf("of %s, which failed, %s, which did not, and %s, which was forgotten, the index has %v",
			in.WebhookID, out.WebhookID, forgotten.WebhookID, ids)
	}
}
