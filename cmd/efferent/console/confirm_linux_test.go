package console

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestAskWaitsNoLongerThanItsContext(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	var said strings.Builder
	if err := ask(ctx, in, &said, "Really?"); !errors.Is(err, ErrInterrupted) || said.String() != "Really? [y/N] \n" {
		t.Errorf("%v after %q", err, said.String())
	}
}
