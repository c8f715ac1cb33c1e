package main

import (
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress is a bar on standard error while something takes its time; nothing
// where that is no terminal.
type progress struct {
	what string
	on   bool
	bar  *progressbar.ProgressBar
}

func newProgress(what string) *progress {
	return &progress{what: what, on: term.IsTerminal(int(os.Stderr.Fd()))}
}

// set shows n of about total; it shows nothing while total is not known.
func (p *progress) set(n, total int64) {
	if !p.on || total <= 0 {
		return
	}
	total = max(n, total)
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(os.Stderr), progressbar.OptionSetDescription(p.what),
			progressbar.OptionShowCount(), progressbar.OptionSetWidth(30), progressbar.OptionClearOnFinish())
	}
	if p.bar.GetMax64() != total {
		p.bar.ChangeMax64(total)
	}
	_ = p.bar.Set64(n) // that a bar was not drawn is no reason to stop
}

// say changes what stands before the bar.
func (p *progress) say(what string) {
	p.what = what
	if p.bar != nil {
		p.bar.Describe(what)
	}
}

// aside takes the bar away, so that a line can be printed where it was; the
// next set shows it again.
func (p *progress) aside() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// end takes the bar away for good.
func (p *progress) end() {
	p.aside()
	p.on = false
}
