package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"golang.org/x/sync/errgroup"
)

// mix is what the sender process sends: for healthy endpoints at a steady rate, for
// those that hang as often for each, and some at once.
type mix struct {
	AWS, Healthy, Hanging string
	Rate, Endpoints, Hang int
	Burst, Pace           int
	Time                  time.Duration
	Grouped               bool
	client                *sqs.Client
	queue                 string
	mu                    *sync.Mutex
	answered              map[string]time.Time
}

// burstAfter is how long after the start the burst begins.
const burstAfter = 3 * time.Second

// sendMix sends all of it, and prints when each of the healthy ones was answered.
func sendMix(args []string) error {
	m := mix{mu: &sync.Mutex{}, answered: map[string]time.Time{}}
	if err := json.Unmarshal([]byte(args[0]), &m); err != nil {
		return err
	}
	m.client, m.queue = sqs.NewFromConfig(config(m.AWS)), m.AWS+"/000000000000/webhooks"
	var all errgroup.Group
	all.Go(func() error { return m.steady("timed", m.Healthy+"/in", m.Rate, m.Endpoints) })
	if m.Hang > 0 {
		all.Go(func() error { return m.steady("hangs", m.Hanging, m.Rate*m.Hang/m.Endpoints, m.Hang) })
	}
	if m.Burst > 0 {
		time.Sleep(burstAfter)
		all.Go(m.burst)
	}
	if err := all.Wait(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(m.answered)
}

// steady sends so many a second to endpoints in turn, one by one, at least one
// each ten seconds. Those that are answered late hold up none.
func (m *mix) steady(kind, url string, rate, endpoints int) error {
	var all errgroup.Group
	tick := time.NewTicker(min(10*time.Second, time.Second/time.Duration(max(rate, 1))))
	defer tick.Stop()
	end := time.After(m.Time)
	for i := 0; ; i++ {
		select {
		case <-end:
			return all.Wait()
		case <-tick.C:
		}
		all.Go(func() error {
			return m.one(fmt.Sprintf("%s-%06d", kind, i), fmt.Sprintf("%s/%d", url, i%endpoints), kind == "timed")
		})
	}
}

func (m *mix) one(id, url string, timed bool) error {
	body := text(id, url)
	if _, err := m.client.SendMessage(context.Background(), &sqs.SendMessageInput{QueueUrl: &m.queue, MessageBody: &body,
		MessageGroupId: m.group(url)}); err != nil {
		return err
	}
	if now := time.Now(); timed {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.answered[id] = now
	}
	return nil
}

// group is the message group of an endpoint.
func (m *mix) group(url string) *string {
	if !m.Grouped {
		return nil
	}
	return &url
}

// burst sends many, in batches of ten from four goroutines, at once or at a pace.
func (m *mix) burst() error {
	start := time.Now()
	return inParallel(m.Burst/10, 4, func(i int) error {
		if m.Pace > 0 {
			time.Sleep(time.Until(start.Add(time.Duration(i) * 10 * time.Second / time.Duration(m.Pace))))
		}
		entries := make([]types.SendMessageBatchRequestEntry, 10)
		for k := range entries {
			n := i*10 + k
			url := fmt.Sprintf("%s/%d", m.Hanging, n%max(m.Hang, endpoints/2))
			id, body := fmt.Sprint(k), text(fmt.Sprintf("burst-%06d", n), url)
			entries[k] = types.SendMessageBatchRequestEntry{Id: &id, MessageBody: &body, MessageGroupId: m.group(url)}
		}
		out, err := m.client.SendMessageBatch(context.Background(), &sqs.SendMessageBatchInput{QueueUrl: &m.queue, Entries: entries})
		if err == nil && len(out.Failed) > 0 {
			err = fmt.Errorf("%d of a batch were refused", len(out.Failed))
		}
		return err
	})
}

// hang accepts connections and never answers. For each line on its standard input
// it prints how many they were so far.
func hang() error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("http://%s\n", listener.Addr())
	var accepted atomic.Int64
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			go drop(conn)
		}
	}()
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fmt.Println(accepted.Load())
	}
	return nil
}

// drop reads what comes, and closes the connection once its other end has.
func drop(conn net.Conn) {
	defer conn.Close()
	buffer := make([]byte, 1<<12)
	for {
		if _, err := conn.Read(buffer); err != nil {
			return
		}
	}
}
