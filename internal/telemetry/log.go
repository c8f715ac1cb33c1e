package telemetry

import (
	"context"
	"io"
	"log"
	"log/slog"
	"strings"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// LevelVariable is set by Lambda to what its lines are cut to by the function's
// ApplicationLogLevel ("Log-level filtering"): what is below need not be written.
const LevelVariable = "AWS_LAMBDA_LOG_LEVEL"

// Log returns the process's logger: lines of JSON on out, of a level and above, by
// its name: INFO where that is none. Each has the request id of its invocation. From then on the
// standard library's own logger writes there too, as warnings, and only up to a
// line's first double quote: net/http and others quote what they got from
// elsewhere, such as what a receiver sends that nobody asked for, and that may
// hold a signature or a body.
func Log(out io.Writer, level string) *slog.Logger {
	var least slog.Level
	if least.UnmarshalText([]byte(level)) != nil {
		least = slog.LevelInfo // Lambda knows TRACE and FATAL too
	}
	l := slog.New(named{slog.NewJSONHandler(out, &slog.HandlerOptions{Level: least})})
	log.SetFlags(0)
	log.SetOutput(unquoted{l})
	return l
}

// RequestID is the attribute of the invocation that a line is of: Lambda's request id,
// as in Lambda's own lines.
const RequestID = "request_id"

// named names in each line the invocation that its context is of.
type named struct{ slog.Handler }

func (n named) Handle(ctx context.Context, r slog.Record) error {
	if c, ok := lambdacontext.FromContext(ctx); ok && c.AwsRequestID != "" {
		r.AddAttrs(slog.String(RequestID, c.AwsRequestID))
	}
	return n.Handler.Handle(ctx, r)
}

func (n named) WithAttrs(all []slog.Attr) slog.Handler { return named{n.Handler.WithAttrs(all)} }

func (n named) WithGroup(name string) slog.Handler { return named{n.Handler.WithGroup(name)} }

// unquoted logs lines without what they quote.
type unquoted struct{ log *slog.Logger }

func (u unquoted) Write(line []byte) (int, error) {
	told, _, _ := strings.Cut(string(line), `"`)
	u.log.Warn(strings.TrimSpace(told))
	return len(line), nil
}
