package commandtest

import (
	"testing"

	"github.com/efferent/efferent/internal/channel"
	"github.com/efferent/efferent/internal/standin"
)

// StartProviders plays the providers of channels, by a script.
func StartProviders(t *testing.T, script standin.Script) *standin.Providers {
	t.Helper()
	p, err := standin.Start(script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// TakesAll is the script of providers that take everything.
func TakesAll(channel.Name, string, int) standin.Answer { return standin.Take }
