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
	Log(out).Info("ours", "quoted", `"kept"`)
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
