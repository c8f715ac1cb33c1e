package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/efferent/efferent/internal/replay"
)

type deliveriesCommand struct {
	Show deliveriesShowCommand `cmd:"" help:"The attempts of one delivery, and why they failed."`
}

type deliveriesShowCommand struct {
	apiFlags
	ID   string `arg:"" name:"webhook-id" help:"The webhook-id."`
	JSON bool   `name:"json" help:"Print JSON."`
}

// apiFlags say where the API is.
type apiFlags struct {
	Dev bool   `help:"Speak to the efferent dev of this machine."`
	API string `name:"api" env:"EFFERENT_API_URL" placeholder:"URL" help:"Where the API is."`
}

func (f *apiFlags) base() (string, error) {
	if f.API == "" && f.Dev {
		return "http://" + devHTTP, nil
	}
	if f.API == "" {
		return "", errors.New("where is the API? Use --api, EFFERENT_API_URL, or --dev for the efferent dev of this machine")
	}
	return f.API, nil
}

// get reads one JSON answer of the API.
func (f *apiFlags) get(ctx context.Context, path string, into any) error {
	base, err := f.base()
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("the API does not answer: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("the API's answer broke off: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		var p replay.Problem
		if json.Unmarshal(b, &p) != nil {
			p.Detail = ""
		}
		return &apiError{resp.StatusCode, cmp.Or(p.Detail, "the API answered "+resp.Status)}
	}
	return json.Unmarshal(b, into)
}

// apiError is an answer of the API that is no success.
type apiError struct {
	status int
	detail string
}

func (e *apiError) Error() string { return e.detail }

func (c *deliveriesShowCommand) Run(ctx context.Context) error {
	var d replay.Delivery
	if err := c.get(ctx, "/api/v1/deliveries/"+url.PathEscape(c.ID), &d); err != nil {
		return err
	}
	if c.JSON {
		return printJSON(d)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AT\tMESSAGE\tATTEMPT\tSTATUS\tMS\tVERDICT\tNEXT\tREASON")
	for _, r := range d.Attempts {
		fmt.Fprintf(w, "%s\t%s\t%d\t%s\t%d\t%s\t%s\t%s\n", r.At.Local().Format("2006-01-02 15:04:05"), r.MessageID,
			r.Attempt, statusText(r.Status), r.DurationMS, r.Verdict, nextText(r.NextAt), r.Reason)
	}
	return w.Flush()
}

func nextText(at time.Time) string {
	if at.IsZero() {
		return "-"
	}
	return at.Local().Format("15:04:05")
}

func statusText(status int) string {
	if status == 0 {
		return "-"
	}
	return fmt.Sprint(status)
}
