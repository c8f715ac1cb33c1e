package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
)

// self is this program, run again.
func self(args ...string) *exec.Cmd {
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0]
	}
	c := exec.Command(program, args...)
	c.Stderr = os.Stderr
	return c
}

// served is a server in a process of its own: its first line of output is its
// URL, and it ends with its standard input.
type served struct {
	url   string
	stdin io.WriteCloser
	lines *bufio.Reader
	cmd   *exec.Cmd
}

// beServed is the other side of it: it serves what handler makes for the URL.
func beServed(handler func(url string) (http.Handler, error)) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	url := "http://" + listener.Addr().String()
	h, err := handler(url)
	if err != nil {
		return err
	}
	fmt.Println(url)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	return http.Serve(listener, h)
}

func serve(c *exec.Cmd) (*served, error) {
	stdin, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	s := &served{stdin: stdin, lines: bufio.NewReader(out), cmd: c}
	line, err := s.lines.ReadString('\n')
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	s.url = strings.TrimSpace(line)
	return s, nil
}

// ask writes an empty line, and reads the one that it is answered with.
func (s *served) ask() (string, error) {
	if _, err := io.WriteString(s.stdin, "\n"); err != nil {
		return "", err
	}
	line, err := s.lines.ReadString('\n')
	return strings.TrimSpace(line), err
}

func (s *served) stop() error {
	return errors.Join(s.stdin.Close(), s.cmd.Wait())
}

func cpuOf(p *os.ProcessState) float64 { return (p.UserTime() + p.SystemTime()).Seconds() }
