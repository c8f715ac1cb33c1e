package awsdynamodb

import (
	"context"
	"testing"
	"time"

	"github.com/efferent/efferent/internal/storetest"
)

func atOncePause(context.Context, time.Duration) error { return nil }

func TestWaiting(t *testing.T) {
	t.Parallel()
	storetest.TestWaiting(t, &Waiting{API: newFakeTable(placeName, positionName), Table: "waiting", Wait: atOncePause})
}
