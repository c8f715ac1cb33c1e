package awssecrets

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"

	"github.com/efferent/efferent/internal/channel"
)

// textAPI answers as told, and counts.
type textAPI struct {
	value *string
	err   error
	asked int
}

func (a *textAPI) GetSecretValue(context.Context, *secretsmanager.GetSecretValueInput, ...func(*secretsmanager.Options)) (
	*secretsmanager.GetSecretValueOutput, error) {
	a.asked++
	return &secretsmanager.GetSecretValueOutput{SecretString: a.value}, a.err
}

func TestTexts(t *testing.T) {
	t.Parallel()
	down := errors.New("down")
	for _, c := range []struct {
		name          string
		api           textAPI
		absent        bool
		err           error
		afterAMinute  int // requests by then, of three looks
		afterAnHour   int
		value, second string
	}{
		{name: "a value", api: textAPI{value: aws.String("{}")}, value: "{}", afterAMinute: 1, afterAnHour: 2},
		{name: "none", api: textAPI{err: &types.ResourceNotFoundException{}}, absent: true, afterAMinute: 2, afterAnHour: 3},
		{name: "marked for deletion", api: textAPI{err: &types.InvalidRequestException{}}, absent: true, afterAMinute: 2, afterAnHour: 3},
		{name: "binary", api: textAPI{}, absent: true, afterAMinute: 1, afterAnHour: 2},
		{name: "unreachable is not cached", api: textAPI{err: down}, err: down, afterAMinute: 3, afterAnHour: 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			now := time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)
			s := &Texts{API: &c.api, Now: func() time.Time { return now }}
			look := func() {
				t.Helper()
				got, err := s.Text(t.Context(), "efferent/smtp", time.Time{})
				if got != c.value || errors.Is(err, channel.ErrNotConfigured) != c.absent || c.err != nil && !errors.Is(err, c.err) {
					t.Errorf("got %q, %v", got, err)
				}
			}
			look()
			look()
			now = now.Add(time.Minute)
			look()
			if c.api.asked != c.afterAMinute {
				t.Errorf("asked %d times in a minute, want %d", c.api.asked, c.afterAMinute)
			}
			now = now.Add(time.Hour)
			look()
			if c.api.asked != c.afterAnHour {
				t.Errorf("asked %d times in an hour, want %d", c.api.asked, c.afterAnHour)
			}
		})
	}
}
