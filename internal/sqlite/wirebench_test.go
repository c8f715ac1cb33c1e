package sqlite_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"net/textproto"
	"strconv"
	"testing"

	"github.com/efferent/efferent/internal/localaws/sqsserver"
)

// BenchmarkServer is send, receive and delete through HTTP by clients that do
// next to nothing themselves: what it measures is the server.
func BenchmarkServer(b *testing.B) {
	for _, clients := range []int{1, 8} {
		b.Run(fmt.Sprint("clients=", clients), func(b *testing.B) {
			server := httptest.NewServer(sqsserver.LoopbackOnly(sqsserver.NewHandler(benchEngine(b))))
			b.Cleanup(server.Close)
			idle := make(chan *wire, clients)
			for range clients {
				idle <- dial(b, server.Listener.Addr().String())
			}
			bench(b, clients, func(context.Context, client) (int, error) {
				w := <-idle
				defer func() { idle <- w }()
				return w.cycle()
			}, nil)
		})
	}
}

// wire is a connection that sends ready-made requests.
type wire struct {
	net.Conn
	r *bufio.Reader
}

func dial(b *testing.B, address string) *wire {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return &wire{conn, bufio.NewReader(conn)}
}

func (w *wire) cycle() (int, error) {
	if _, err := w.call("SendMessage", `{"QueueUrl":"`+*queueURL+`","MessageBody":"`+*kibibyte+`"}`); err != nil {
		return 0, err
	}
	got, err := w.call("ReceiveMessage", `{"QueueUrl":"`+*queueURL+`","MaxNumberOfMessages":1,"WaitTimeSeconds":1}`)
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(got, []byte(`"ReceiptHandle":"`))
	handle, _, found := bytes.Cut(rest, []byte(`"`))
	if !found {
		return 0, nil
	}
	_, err = w.call("DeleteMessage", `{"QueueUrl":"`+*queueURL+`","ReceiptHandle":"`+string(handle)+`"}`)
	return 1, err
}

func (w *wire) call(operation, body string) (answer []byte, err error) {
	_, err = io.WriteString(w, "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Amz-Target: AmazonSQS."+operation+
		"\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: "+strconv.Itoa(len(body))+"\r\n\r\n"+body)
	if err != nil {
		return nil, err
	}
	r := textproto.NewReader(w.r)
	status, err := r.ReadLine()
	if err != nil {
		return nil, err
	}
	header, err := r.ReadMIMEHeader()
	if err != nil {
		return nil, err
	}
	n, _ := strconv.Atoi(header.Get("Content-Length"))
	answer = make([]byte, n)
	if _, err := io.ReadFull(w.r, answer); err != nil {
		return nil, err
	}
	if status != "HTTP/1.1 200 OK" {
		return nil, fmt.Errorf("%s: %s: %s", operation, status, answer)
	}
	return answer, nil
}
