// Package program runs other people's servers beside tests: each in a process
// group of its own, on a free port of the loopback.
package program

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// patience is how long a server may take to answer: a machine may be busy.
const patience = 5 * time.Minute

// Server is a program that was started.
type Server struct {
	cmd    *exec.Cmd
	output string
	ended  chan struct{}
}

// Start starts cmd, whose output goes to a file in dir, and waits until answers
// returns nil. A program that ends before that is an error, with what it said.
func Start(ctx context.Context, cmd *exec.Cmd, dir string, answers func(context.Context) error) (*Server, error) {
	s := &Server{cmd: cmd, output: filepath.Join(dir, filepath.Base(cmd.Path)+".log"), ended: make(chan struct{})}
	output, err := os.Create(s.output)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it starts ends with it
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", cmd.Path, err)
	}
	go func() {
		defer close(s.ended)
		_ = cmd.Wait() // Stop kills it
	}()
	if err := s.await(ctx, answers); err != nil {
		s.Stop()
		return nil, fmt.Errorf("%s does not answer: %w\n%s", cmd.Path, err, s.Output())
	}
	return s, nil
}

func (s *Server) await(ctx context.Context, answers func(context.Context) error) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := answers(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-s.ended:
			return errors.New("it has ended")
		case <-ctx.Done():
			return err
		}
	}
}

// Output is what it printed.
func (s *Server) Output() string {
	b, err := os.ReadFile(s.output)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(b))
}

// Stop ends it and its children.
func (s *Server) Stop() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // it may have ended by itself
	<-s.ended
}

// FreeAddress is an address of the loopback that nobody listens on.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Listens waits for a server that answers as soon as it listens.
func Listens(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}
