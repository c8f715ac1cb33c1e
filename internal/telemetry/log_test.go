package telemetry

import (
	"bufio"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/lambdacontext"
)

// lines hands on each line that is written.
type lines chan string

func (l lines) Write(b []byte) (int, error) {
	l <- string(b)
	return len(b), nil
}

// TestLog has a server send more than its answer, on a connection that is then
// kept: net/http tells the standard library's logger. It is not parallel, since
// that is the process's.
func TestLog(t *testing.T) {
	t.Cleanup(func() {
		log.SetOutput(os.Stderr)
		log.SetFlags(log.LstdFlags)
	})
	out := make(lines, 10)
	Log(out, "").Info("ours", "quoted", `"kept"`)
	if got := <-out; !strings.Contains(got, `\"kept\"`) {
		t.Errorf("got %s", got)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = http.ReadRequest(bufio.NewReader(conn))
		_, _ = io.WriteString(conn, "HTTP/1.1 204 No Content\r\n\r\nv1,s1gnature")
	}()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	resp, err := (&http.Client{Transport: transport}).Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	got := <-out
	if !strings.Contains(got, `"level":"WARN","msg":"Unsolicited response received on idle HTTP channel starting with"`) ||
		strings.Contains(got, "s1gnature") {
		t.Errorf("got %s", got)
	}
}

// TestLogLevel: what is below the level is not written. It is not parallel, as
// TestLog.
func TestLogLevel(t *testing.T) {
	t.Cleanup(func() {
		log.SetOutput(os.Stderr)
		log.SetFlags(log.LstdFlags)
	})
	for level, want := range map[string]string{
		"": "info warn", "INFO": "info warn", "DEBUG": "debug info warn", "WARN": "warn", "TRACE": "info warn", "none": "info warn",
	} {
		var out strings.Builder
		l := Log(&out, level)
		l.Debug("debug")
		l.Info("info")
		l.Warn("warn")
		var got []string
		for _, name := range []string{"debug", "info", "warn"} {
			if strings.Contains(out.String(), `"msg":"`+name+`"`) {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("level %q: %v, want %s", level, got, want)
		}
	}
}

// TestRequestID: a line says which invocation it is of. It is not parallel, as TestLog.
func TestRequestID(t *testing.T) {
	t.Cleanup(func() {
		log.SetOutput(os.Stderr)
		log.SetFlags(log.LstdFlags)
	})
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "8286a188"})
	var out strings.Builder
	l := Log(&out, "")
	l.Info("no invocation")
	l.InfoContext(ctx, "an invocation")
	l.With("a", "b").WithGroup("g").InfoContext(ctx, "of a part")
	got := strings.Split(out.String(), "\n")
	if strings.Contains(got[0], RequestID) || !strings.Contains(got[1], `"request_id":"8286a188"`) ||
		!strings.Contains(got[2], `"request_id":"8286a188"`) {
		t.Errorf("got %s", out.String())
	}
}
