package awsdynamodb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/efferent/efferent/internal/claim"
)

// claimTable answers a batch read as told: how many of each request's keys it
// leaves unprocessed.
type claimTable struct {
	ClaimsAPI
	unprocessed []int
	err         error
	reads       int
}

func (f *claimTable) BatchGetItem(_ context.Context, in *sdk.BatchGetItemInput, _ ...func(*sdk.Options)) (*sdk.BatchGetItemOutput, error) {
	f.reads++
	if f.err != nil {
		return nil, f.err
	}
	asked := in.RequestItems["attempts"]
	if !*asked.ConsistentRead {
		return nil, errors.New("the read is not consistent")
	}
	left := 0
	if len(f.unprocessed) > 0 {
		left, f.unprocessed = f.unprocessed[0], f.unprocessed[1:]
	}
	out := &sdk.BatchGetItemOutput{Responses: map[string][]map[string]types.AttributeValue{},
		UnprocessedKeys: map[string]types.KeysAndAttributes{"attempts": {Keys: asked.Keys[len(asked.Keys)-left:]}}}
	for _, key := range asked.Keys[:len(asked.Keys)-left] {
		item, err := claimItem(claim.Claim{Queue: "q", ItemID: key[webhookIDName].(*types.AttributeValueMemberS).Value})
		if err != nil {
			return nil, err
		}
		out.Responses["attempts"] = append(out.Responses["attempts"], item)
	}
	return out, nil
}

func (f *claimTable) PutItem(context.Context, *sdk.PutItemInput, ...func(*sdk.Options)) (*sdk.PutItemOutput, error) {
	return nil, f.err
}

func (f *claimTable) DeleteItem(context.Context, *sdk.DeleteItemInput, ...func(*sdk.Options)) (*sdk.DeleteItemOutput, error) {
	return nil, f.err
}

func TestClaimsLeftUnprocessed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		unprocessed []int
		patience    int
		claims      int
		reads       int
		is          error
	}{
		{"none", nil, 0, 10, 1, nil},
		{"some, twice", []int{4, 1}, 2, 10, 3, nil},
		{"some, for ever", []int{4, 4, 4}, 2, 0, 3, context.Canceled},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			f := &claimTable{unprocessed: c.unprocessed}
			s := &Claims{API: f, Table: "attempts", Wait: func(context.Context, time.Duration) error {
				if c.patience--; c.patience < 0 {
					return context.Canceled
				}
				return nil
			}}
			var ids []string
			for i := range 10 {
				ids = append(ids, fmt.Sprint(i))
			}
			got, err := s.ClaimsOn(t.Context(), "q", ids)
			if !errors.Is(err, c.is) || len(got) != c.claims || f.reads != c.reads {
				t.Errorf("%d claims in %d requests, %v", len(got), f.reads, err)
			}
		})
	}
}

// TestClaimErrors tells what is claimed already from what can't be written.
func TestClaimErrors(t *testing.T) {
	t.Parallel()
	held, err := claimItem(claim.Claim{Queue: "q", ItemID: "i", Token: "other"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		err     error
		claimed bool
		other   string
	}{
		{"held", &types.ConditionalCheckFailedException{Item: held}, true, "other"},
		{"held by what can't be read", &types.ConditionalCheckFailedException{}, false, ""},
		{"down", errDown, false, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			other, err := (&Claims{API: &claimTable{err: c.err}, Table: "attempts"}).TakeClaim(
				t.Context(), claim.Claim{Queue: "q", ItemID: "i", Token: "mine"})
			if err == nil || errors.Is(err, claim.ErrTaken) != c.claimed || other.Token != c.other {
				t.Errorf("got %+v, %v", other, err)
			}
		})
	}
}

// TestClaimsFail shows what becomes of a request that DynamoDB refuses.
func TestClaimsFail(t *testing.T) {
	t.Parallel()
	mine := claim.Claim{Queue: "q", ItemID: "i", Token: "mine", Actor: "ann"}
	conditionFailed := &types.ConditionalCheckFailedException{}
	for _, c := range []struct {
		name string
		err  error
		do   func(context.Context, *Claims) error
		is   error
	}{
		{"take", errDown, func(ctx context.Context, s *Claims) error { _, err := s.TakeClaim(ctx, mine); return err }, errDown},
		{"put", errDown, func(ctx context.Context, s *Claims) error { return s.PutClaim(ctx, mine) }, errDown},
		{"drop", errDown, func(ctx context.Context, s *Claims) error { return s.DropClaim(ctx, mine) }, errDown},
		{"drop what is another's, settled or gone", conditionFailed,
			func(ctx context.Context, s *Claims) error { return s.DropClaim(ctx, mine) }, nil},
		{"read", errDown, func(ctx context.Context, s *Claims) error { _, err := s.ClaimsOn(ctx, "q", []string{"i"}); return err }, errDown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := c.do(t.Context(), &Claims{API: &claimTable{err: c.err}, Table: "attempts"})
			if !errors.Is(err, c.is) {
				t.Fatalf("got %v, want %v", err, c.is)
			}
			if err != nil && (!strings.Contains(err.Error(), "table attempts") || strings.Contains(err.Error(), "mine")) {
				t.Errorf("%q must name the table and not the token", err)
			}
		})
	}
}
