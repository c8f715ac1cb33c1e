package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// memories measures what a deep queue takes of efferent dev: its resident memory
// with so many small messages in it, and the file; a restart with them; and the
// file when they are gone.
func memories(args []string) error {
	flags := flag.NewFlagSet("memory", flag.ContinueOnError)
	efferent := flags.String("efferent", efferentBinary, "the efferent binary")
	n := flags.Int("n", 1_000_000, "messages")
	clients := flags.Int("half", 2000, "clients that send half a request")
	if err := flags.Parse(args); err != nil {
		return err
	}
	d, err := startDev(*efferent)
	if err != nil {
		return err
	}
	defer func() { os.RemoveAll(d.dir) }()
	idle := d.resident()
	began := time.Now()
	if err := fillQueue(d.awsURL, *n); err != nil {
		return err
	}
	sent := time.Since(began)
	full, fullFile := d.resident(), d.fileSize()
	began = time.Now()
	if err := d.restart(*efferent); err != nil {
		return err
	}
	stopped, cpu := d.ready.Sub(began), d.cpu()
	again := d.resident()
	emptied, err := d.empty()
	if err != nil {
		return err
	}
	half, err := d.halfSent(*clients)
	_, stopErr := d.stop()
	if err := errors.Join(err, stopErr); err != nil {
		return err
	}
	fmt.Printf("%d messages of %d bytes in a queue of efferent dev, sent in %.0f s\n\n", *n, len(smallBody), sent.Seconds())
	fmt.Printf("%-44s %8.0f MB\n%-44s %8.0f MB\n", "resident memory, empty", idle, "with the messages", full)
	fmt.Printf("%-44s %8.0f MB\n", "after a restart", again)
	fmt.Printf("%-44s %8.1f s (%.1f s with the old process's end; %.1f s of CPU)\n", "a start with them", d.took.Seconds(),
		stopped.Seconds(), cpu)
	fmt.Printf("%-44s %8.0f MB\n%-44s %8.0f MB\n", "the file with them", fullFile, "a minute or less after a purge", emptied)
	fmt.Printf("%-44s %8.0f MB\n", fmt.Sprintf("resident memory with %d half-sent requests", *clients), half)
	return nil
}

const smallBody = "a small message, of a length that many are like: 64 characters."

// fillQueue sends n messages in batches of ten, from eight clients.
func fillQueue(awsURL string, n int) error {
	ctx := context.Background()
	client, name := sqs.NewFromConfig(config(awsURL)), "deep"
	out, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name})
	if err != nil {
		return err
	}
	var entries []map[string]any
	for i := range 10 {
		entries = append(entries, map[string]any{"Id": strconv.Itoa(i), "MessageBody": smallBody})
	}
	p := &plain{endpoint: awsURL + "/", queue: *out.QueueUrl, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 8}}}
	return inParallel(n/10, 8, func(int) error {
		return p.call(ctx, "SendMessageBatch", map[string]any{"QueueUrl": p.queue, "Entries": entries}, nil)
	})
}

// empty purges the queue, and returns the file's size once it has not become
// smaller for a while, or after a minute.
func (d *dev) empty() (megabytes float64, err error) {
	url := d.awsURL + "/000000000000/deep"
	p := &plain{endpoint: d.awsURL + "/", client: http.DefaultClient}
	if err := p.call(context.Background(), "PurgeQueue", map[string]any{"QueueUrl": url}, nil); err != nil {
		return 0, err
	}
	megabytes = d.fileSize()
	for still := 0; still < 12; still++ {
		time.Sleep(5 * time.Second)
		if now := d.fileSize(); now < megabytes {
			megabytes, still = now, 6
		}
	}
	return megabytes, nil
}

// restart ends dev and starts it again on the same data.
func (d *dev) restart(efferent string) error {
	if err := errors.Join(d.cmd.Process.Signal(syscall.SIGTERM), d.cmd.Wait()); err != nil {
		return err
	}
	return d.start(efferent)
}

// halfSent has clients announce 6 MB each and send 64 KiB of it, and returns the
// resident memory then.
func (d *dev) halfSent(clients int) (megabytes float64, err error) {
	const announced, sent = 6 << 20, 64 << 10
	head := fmt.Sprintf("POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: AmazonSQS.SendMessage\r\nContent-Length: %d\r\n\r\n", announced)
	part := append([]byte(head), make([]byte, sent)...)
	address := strings.TrimPrefix(d.awsURL, "http://")
	for range clients {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return 0, err
		}
		defer conn.Close()
		if _, err := conn.Write(part); err != nil {
			return 0, err
		}
	}
	time.Sleep(time.Second) // until dev has read what came
	return d.resident(), nil
}

// resident is what dev has of the machine's memory, in MB; 0 where the system
// does not tell (Linux does, proc(5)).
func (d *dev) resident() float64 {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kilobytes, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kilobytes / 1024
		}
	}
	return 0
}

// cpu is what dev has taken so far, in seconds; 0 where the system does not tell
// (Linux does, in hundredths: proc(5)).
func (d *dev) cpu() float64 {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", d.cmd.Process.Pid))
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return (user + system) / 100
}

// fileSize is that of the data file, in MB.
func (d *dev) fileSize() float64 {
	info, err := os.Stat(filepath.Join(d.dir, "bench.db"))
	if err != nil {
		return 0
	}
	return float64(info.Size()) / (1 << 20)
}
