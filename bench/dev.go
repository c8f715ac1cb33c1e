package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// dev is a running efferent dev on a data file of its own.
type dev struct {
	awsURL string
	cmd    *exec.Cmd
	dir    string
	ready  time.Time
	took   time.Duration // from the process's start until it was ready
}

var ready = regexp.MustCompile(`^ready aws=(\S+) http=\S+ data=`)

func startDev(efferent string) (*dev, error) {
	return startDevWith(efferent, func(string) error { return nil })
}

// startDevWith lets prepare write to the data file before dev is started.
func startDevWith(efferent string, prepare func(data string) error) (*dev, error) {
	dir, err := os.MkdirTemp("", "efferent-bench-")
	if err != nil {
		return nil, err
	}
	d := &dev{dir: dir}
	if err := prepare(dataOf(dir)); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := d.start(efferent); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	name, value := secretName, secretValue
	_, err = secretsmanager.NewFromConfig(config(d.awsURL)).CreateSecret(context.Background(),
		&secretsmanager.CreateSecretInput{Name: &name, SecretString: &value})
	return d, err
}

// start starts dev on the data file of its folder.
func (d *dev) start(efferent string) error {
	d.cmd = exec.Command(efferent, "dev", "--aws", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data", dataOf(d.dir))
	// Each failed attempt is a line of it.
	log, err := os.Create(filepath.Join(d.dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	d.cmd.Stderr = log
	out, err := d.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := d.cmd.Start(); err != nil {
		return err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	found := ready.FindStringSubmatch(line)
	if err != nil || found == nil {
		said, _ := os.ReadFile(log.Name())
		return errors.Join(fmt.Errorf("efferent dev did not get ready: %q; %s", line, said), err, d.cmd.Process.Kill(), d.cmd.Wait())
	}
	d.awsURL, d.ready = found[1], time.Now()
	d.took = d.ready.Sub(began)
	return nil
}

// stop ends dev and returns the CPU seconds it took in all.
func (d *dev) stop() (float64, error) {
	err := errors.Join(d.cmd.Process.Signal(syscall.SIGTERM), d.cmd.Wait(), os.RemoveAll(d.dir))
	if d.cmd.ProcessState == nil {
		return 0, err
	}
	return cpuOf(d.cmd.ProcessState), err
}

func config(awsURL string) aws.Config {
	return aws.Config{Region: "us-east-1", BaseEndpoint: &awsURL, Credentials: credentials.NewStaticCredentialsProvider("bench", "bench", "")}
}

// devLatency sends 50 a second, one by one, and compares the time of each
// SendMessage's answer with that of the request's arrival.
func devLatency(efferent string, s *sinkProcess) error {
	const n, perSecond = 500, 50
	d, err := startDev(efferent)
	if err != nil {
		return err
	}
	defer os.RemoveAll(d.dir)
	if _, err := s.arrivals("?forget"); err != nil {
		return err
	}
	out, sendErr := self("send", d.awsURL, s.url+"/in", fmt.Sprint(n), fmt.Sprint(perSecond)).Output()
	a, err := s.wait(n)
	_, stopErr := d.stop()
	if err := errors.Join(sendErr, err, stopErr); err != nil {
		return err
	}
	var answered map[string]time.Time
	if err := json.Unmarshal(out, &answered); err != nil {
		return err
	}
	var waits []float64
	for id, at := range answered {
		waits = append(waits, float64(a.ByID[id].Sub(at).Microseconds())/1000)
	}
	slices.Sort(waits)
	fmt.Printf("\nfrom SendMessage's answer to the request's arrival, at %d a second: median %.2f ms, 99 %% within %.2f ms\n",
		perSecond, waits[len(waits)/2], waits[len(waits)*99/100])
	return nil
}

// send is the sender process: n webhooks in batches of ten from four
// goroutines, or, at a rate, one by one; then it prints when each was answered.
func send(args []string) error {
	awsURL, url, n, perSecond := args[0], args[1], number(args[2]), number(args[3])
	client, queue := sqs.NewFromConfig(config(awsURL)), awsURL+"/000000000000/webhooks"
	if perSecond > 0 {
		return sendTimed(client, queue, url, n, perSecond)
	}
	return inParallel(n/10, 4, func(i int) error {
		entries := make([]types.SendMessageBatchRequestEntry, 10)
		for k := range entries {
			id, body := fmt.Sprint(k), text(fmt.Sprintf("evt-%08d", i*10+k), url)
			entries[k] = types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body}
		}
		out, err := client.SendMessageBatch(context.Background(), &sqs.SendMessageBatchInput{QueueUrl: &queue, Entries: entries})
		if err == nil && len(out.Failed) > 0 {
			err = fmt.Errorf("%d of a batch were refused", len(out.Failed))
		}
		return err
	})
}

func sendTimed(client *sqs.Client, queue, url string, n, perSecond int) error {
	answered := map[string]time.Time{}
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for i := range n {
		<-tick.C
		id := fmt.Sprintf("timed-%06d", i)
		body := text(id, url)
		if _, err := client.SendMessage(context.Background(), &sqs.SendMessageInput{QueueUrl: &queue, MessageBody: &body}); err != nil {
			return err
		}
		answered[id] = time.Now()
	}
	return json.NewEncoder(os.Stdout).Encode(answered)
}
