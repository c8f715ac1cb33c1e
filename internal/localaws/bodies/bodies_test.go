package bodies

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func request(length int64, body io.Reader) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.ContentLength = length
	return r
}

func TestRead(t *testing.T) {
	t.Parallel()
	const limit = 100_000
	o := newRoom(2 * limit)
	for _, n := range []int{0, 1, small - 1, small, small + 1, 50_000, limit - 1, limit, limit + 1, 10 * limit} {
		for _, announced := range []bool{true, false} {
			for range 2 { // with memory that was used, too
				text := strings.Repeat("x", n)
				length := int64(-1)
				if announced {
					length = int64(n)
				}
				w := httptest.NewRecorder()
				b, err := o.Read(w, request(length, strings.NewReader(text)), limit)
				if n > limit {
					if !errors.Is(err, ErrTooLarge) || w.Header().Get("Connection") != "close" {
						t.Errorf("%d bytes: %v, %v", n, err, w.Header())
					}
					continue
				}
				if err != nil || string(b.Bytes) != text {
					t.Fatalf("%d bytes: %v", n, err)
				}
				b.Release()
			}
		}
	}
	if !o.left.TryAcquire(2 * limit) {
		t.Error("room was not given back")
	}
}

// stuck is a body that begins and never ends.
type stuck struct {
	begin *bytes.Reader
	ctx   context.Context
}

func (s stuck) Read(p []byte) (int, error) {
	if n, _ := s.begin.Read(p); n > 0 {
		return n, nil
	}
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}

// TestWhoFindsNoRoomIsToldSo in its time, and has room when others have left.
func TestWhoFindsNoRoomIsToldSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newRoom(250_000)
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan error)
		for range 2 {
			go func() {
				_, err := o.Read(httptest.NewRecorder(), request(100_000, stuck{bytes.NewReader(make([]byte, 70_000)), ctx}), 100_000)
				left <- err
			}()
		}
		synctest.Wait()
		large := strings.Repeat("x", 60_000)
		if _, err := o.Read(httptest.NewRecorder(), request(60_000, strings.NewReader(large)), 100_000); !errors.Is(err, ErrBusy) {
			t.Errorf("got %v, want ErrBusy", err)
		}
		if _, err := o.Read(httptest.NewRecorder(), request(9, strings.NewReader("123456789")), 100_000); err != nil {
			t.Errorf("a small one: %v", err)
		}
		leave()
		for range 2 {
			if err := <-left; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v", err)
			}
		}
		if _, err := o.Read(httptest.NewRecorder(), request(60_000, strings.NewReader(large)), 100_000); err != nil {
			t.Errorf("with the others gone: %v", err)
		}
	})
}

// pipes is a listener of connections inside of the process.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// TestAClientThatStopsSending is told so, whether it stops or nearly does; one
// that has sent all may wait for its answer for longer.
func TestAClientThatStopsSending(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		send   func(conn net.Conn)
		within time.Duration
		want   string
	}{
		"it stops": {func(conn net.Conn) { fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n123") },
			idle, ErrSlow.Error()},
		"it nearly stops": {func(conn net.Conn) {
			fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999\r\n\r\n")
			for {
				if _, err := fmt.Fprint(conn, "x"); err != nil {
					return
				}
				time.Sleep(idle / 2)
			}
		}, most, ErrSlow.Error()},
		"it has sent all": {func(conn net.Conn) { fmt.Fprint(conn, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n123") },
			2 * most, "123"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := NewRoom()
				server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					b, err := o.Read(w, r, 1000)
					if err != nil {
						fmt.Fprint(w, err)
						return
					}
					defer b.Release()
					select {
					case <-time.After(2 * most):
						_, _ = w.Write(b.Bytes)
					case <-r.Context().Done():
						t.Error("the request was given up")
					}
				})}
				listener := make(pipes, 1)
				go func() { _ = server.Serve(listener) }()
				ours, theirs := net.Pipe()
				listener <- theirs
				began, sent := time.Now(), make(chan struct{})
				go func() { c.send(ours); close(sent) }()
				answer := make([]byte, 1000)
				n, _ := ours.Read(answer)
				if took := time.Since(began); took != c.within || !strings.Contains(string(answer[:n]), c.want) {
					t.Errorf("after %s: %s", took, answer[:n])
				}
				ours.Close()
				<-sent
				close(listener)
				server.Close()
			})
		})
	}
}

// TestHalfSentBodies: what is in memory goes by what came, not by what was
// announced. It is not parallel: it counts all memory.
func TestHalfSentBodies(t *testing.T) {
	const clients, announced = 500, 6 << 20
	o := NewRoom()
	ctx, leave := context.WithCancel(t.Context())
	ended := make(chan struct{})
	inside := make(chan struct{}, 2*clients)
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for range clients {
		go func() {
			body := stuck{bytes.NewReader([]byte("{")), ctx}
			_, _ = o.Read(httptest.NewRecorder(), request(announced, io.MultiReader(body.begin, signal{inside}, body)), announced)
			inside <- struct{}{} // also if it found no room
			ended <- struct{}{}
		}()
	}
	for range clients {
		<-inside
	}
	runtime.ReadMemStats(&during)
	leave()
	for range clients {
		<-ended
	}
	if used := (during.HeapAlloc - min(before.HeapAlloc, during.HeapAlloc)) / clients; used > 4*small {
		t.Errorf("each takes %d bytes", used)
	}
}

// signal says that all before it was read.
type signal struct{ c chan struct{} }

func (s signal) Read([]byte) (int, error) {
	s.c <- struct{}{}
	return 0, io.EOF
}
