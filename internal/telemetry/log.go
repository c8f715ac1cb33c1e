package telemetry

import (
	"io"
	"log"
	"log/slog"
	"strings"
)

// LevelVariable is set by Lambda to what its lines are cut to by the function's
// ApplicationLogLevel ("Log-level filtering"): what is below need not be written.
const LevelVariable = "AWS_LAMBDA_LOG_LEVEL"

// Log returns the process's logger: lines of JSON on out, of a level and above, by
// its name: INFO where that is none. From then on the
// standard library's own logger writes there too, as warnings, and only up to a
// line's first double quote: net/http and others quote what they got from
// elsewhere, such as what a receiver sends that nobody asked for, and that may
// hold a signature or a body.
func Log(out io.Writer, level string) *slog.Logger {
	var least slog.Level
	if least.UnmarshalText([]byte(level)) != nil {
		least = slog.LevelInfo // Lambda knows TRACE and FATAL too
	}
	l := slog.New(slog.NewJSONHandler(out, &slog.HandlerOptions{Level: least}))
	log.SetFlags(0)
	log.SetOutput(unquoted{l})
	return l
}

// unquoted logs lines without what they quote.
type unquoted struct{ log *slog.Logger }

func (u unquoted) Write(line []byte) (int, error) {
	told, _, _ := strings.Cut(string(line), `"`)
	u.log.Warn(strings.TrimSpace(told))
	return len(line), nil
}
