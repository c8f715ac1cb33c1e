package terminal

import (
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress is a bar on standard error while something takes its time; nothing
// where that is no terminal.
type Progress struct {
	what string
	on   bool
	bar  *progressbar.ProgressBar
}

// NewProgress says what is done; nothing is shown before Set.
func NewProgress(what string) *Progress {
	return &Progress{what: what, on: term.IsTerminal(int(os.Stderr.Fd()))}
}

// On reports whether it is shown at all.
func (p *Progress) On() bool { return p.on }

// Set shows n of about total; it shows nothing while total is not known.
func (p *Progress) Set(n, total int64) {
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

// Say changes what stands before the bar.
func (p *Progress) Say(what string) {
	p.what = what
	if p.bar != nil {
		p.bar.Describe(what)
	}
}

// Aside takes the bar away, so that a line can be printed where it was; the
// next Set shows it again.
func (p *Progress) Aside() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

// End takes the bar away for good.
func (p *Progress) End() {
	p.Aside()
	p.on = false
}
