// Package dev is efferent dev: all of Efferent in one process, on an SQS, a Secrets
// Manager and a data file of its own; and efferent data, which checks the file.
package dev

import (
	"context"
	"fmt"
	"os"

	"github.com/efferent/efferent/internal/heap"
	"github.com/efferent/efferent/internal/telemetry"
)

// uncollected is what dev's heap may grow to before garbage is collected, in bytes.
const uncollected = 128 << 20

// Command is efferent dev.
type Command struct {
	AWS  string `name:"aws" default:"${dev_aws}" placeholder:"HOST:PORT" help:"The AWS endpoint's address (${default}); port 0 is a free one."`
	HTTP string `name:"http" default:"${dev_http}" placeholder:"HOST:PORT" help:"Where the API listens (${default}); port 0 is a free one."`
	Data string `default:"efferent.db" placeholder:"FILE" help:"Where the state is kept (${default}); :memory: for nowhere."`

	AllowHost []string `sep:"none" placeholder:"NAME" help:"A host name to answer to beside localhost, for containers; may be repeated."`
}

func (c *Command) Run(ctx context.Context) error {
	heap.Floor(uncollected)
	log := telemetry.Log(os.Stderr, "DEBUG")
	l, err := Open(ctx, Config{AWS: c.AWS, HTTP: c.HTTP, Data: c.Data, AllowHosts: c.AllowHost, Getenv: os.Getenv, Log: log})
	if err != nil {
		return err
	}
	fmt.Printf("ready aws=%s http=%s data=%s\n", l.AWSURL, l.HTTPURL, c.Data)
	return l.Run(ctx)
}
