package commandline

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/efferent/efferent/internal/version"
)

type versionCommand struct {
	JSON bool `name:"json" help:"As one JSON object."`
}

func (c versionCommand) Run() error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(version.Read())
	}
	return writeVersion(os.Stdout, version.Read())
}

// writeVersion says the version on the first line, and what else is known on the
// lines below it.
func writeVersion(w io.Writer, b version.Build) error {
	text := "efferent " + b.Version + "\n"
	for _, line := range []struct{ name, value string }{{"commit", b.Commit}, {"date", b.Date}, {"go", b.Go}} {
		if line.value != "" {
			text += fmt.Sprintf("%-6s %s\n", line.name, line.value)
		}
	}
	_, err := io.WriteString(w, text)
	return err
}
