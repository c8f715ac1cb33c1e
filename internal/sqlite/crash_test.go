package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/localaws/sqsserver"
	"github.com/efferent/efferent/internal/sqlite"
	"github.com/efferent/efferent/internal/writelog"
)

// The variables that tell the test binary to be the process that is killed.
const (
	childFile = "EFFERENT_TEST_CHILD_FILE"
	childWork = "EFFERENT_TEST_CHILD_WORK"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(childFile); path != "" {
		db, err := sqlite.Open(path)
		if err != nil {
			panic(err)
		}
		works[os.Getenv(childWork)](db)
		select {}
	}
	os.Exit(m.Run())
}

// works are what a child does until it is killed. It prints a line after each
// thing that was acknowledged.
var works = map[string]func(*sqlite.DB){"numbers": writeNumbers, "queue": useQueue, "attempts": putAttempts, "reports": putReports}

var out sync.Mutex

func say(words ...any) {
	out.Lock()
	defer out.Unlock()
	fmt.Println(words...)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func writeNumbers(db *sqlite.DB) {
	check(db.Do(context.Background(), run(makeTable)))
	for writer := range 8 {
		go func() {
			for n := writer; ; n += 8 {
				check(db.Do(context.Background(), insert(n)))
				say("wrote", n)
			}
		}()
	}
}

func useQueue(db *sqlite.DB) {
	ctx := context.Background()
	queues, err := writelog.OpenQueues(ctx, os.Getenv(childFile), db.ID(), sqlite.NewQueues(db), writelog.Options{})
	check(err)
	e, err := sqsserver.Open(ctx, queues, sqsserver.Options{})
	check(err)
	_, err = e.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("q")})
	check(err)
	for sender := range 4 {
		go func() {
			for n := sender; ; n += 4 {
				_, err := e.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: queueURL, MessageBody: aws.String(strconv.Itoa(n))})
				check(err)
				say("sent", n)
			}
		}()
	}
	for range 2 {
		go func() {
			for {
				got, err := e.Poller().ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: queueURL, MaxNumberOfMessages: 10, WaitTimeSeconds: 1})
				check(err)
				for i, m := range got.Messages {
					if i%2 == 0 {
						continue // held for ever
					}
					say("deleting", *m.Body)
					_, err := e.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: queueURL, ReceiptHandle: m.ReceiptHandle})
					check(err)
					say("deleted", *m.Body)
				}
			}
		}()
	}
}

func putAttempts(db *sqlite.DB) {
	ctx := context.Background()
	attempts, err := writelog.OpenAttempts(ctx, os.Getenv(childFile), db.ID(), sqlite.NewAttempts(db), writelog.Options{})
	check(err)
	for writer := range 4 {
		go func() {
			for n := writer; ; n += 4 {
				check(attempts.Put(ctx, []attempt.Record{{WebhookID: strconv.Itoa(n), MessageID: "m", Attempt: 1, At: time.Now(), Endpoint: "ep_1"}}))
				say("put", n)
			}
		}()
	}
	for {
		_, err := attempts.NewestOfEndpoint(ctx, "ep_1", "", "", 1) // which brings all of them to the data file
		check(err)
	}
}

// putReports tells of each attempt what is reported of it, at once, and writes the
// attempt again, as one who has not heard of it.
func putReports(db *sqlite.DB) {
	ctx := context.Background()
	attempts, err := writelog.OpenAttempts(ctx, os.Getenv(childFile), db.ID(), sqlite.NewAttempts(db), writelog.Options{})
	check(err)
	for writer := range 8 {
		go func() {
			for n := writer; ; n += 8 {
				r := attempt.Record{WebhookID: strconv.Itoa(n), MessageID: "m", Attempt: 1, At: time.Now(), Verdict: attempt.Delivered}
				check(attempts.Put(ctx, []attempt.Record{r}))
				check(attempts.PutReport(ctx, r, attempt.Report{State: attempt.Bounced, At: r.At, By: "r", Version: 1}))
				say("reported", n)
				check(attempts.Put(ctx, []attempt.Record{r}))
			}
		}()
	}
}

// killed runs a child until it has said some lines, kills it, and gives the
// numbers that it said, by word.
func killed(t *testing.T, path, work string, lines int) map[string][]int {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childFile+"="+path, childWork+"="+work)
	child.Stderr = os.Stderr
	pipe, err := child.StdoutPipe()
	must(t, err)
	must(t, child.Start())
	said := map[string][]int{}
	count := 0
	for reader := bufio.NewReader(pipe); ; count++ {
		line, err := reader.ReadString('\n')
		if err != nil {
			break // a last line that was cut is no line
		}
		word, number, _ := strings.Cut(strings.TrimSpace(line), " ")
		n, err := strconv.Atoi(number)
		must(t, err)
		said[word] = append(said[word], n)
		if count == lines {
			must(t, child.Process.Kill())
		}
	}
	if err := child.Wait(); err == nil || count < lines {
		t.Fatalf("the child ended by itself after %d lines: %v", count, err)
	}
	return said
}

func TestWhatIsAcknowledgedOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	path := dataFile(t)
	said := killed(t, path, "numbers", 2000)
	kept := numbers(t, open(t, path))
	for _, n := range said["wrote"] {
		if _, found := slices.BinarySearch(kept, n); !found {
			t.Fatalf("%d was acknowledged and is gone", n)
		}
	}
}

func TestAttemptsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	path := dataFile(t)
	said := killed(t, path, "attempts", 3000)
	db := open(t, path)
	attempts, err := writelog.OpenAttempts(t.Context(), path, db.ID(), sqlite.NewAttempts(db), writelog.Options{})
	must(t, err)
	defer attempts.Close()
	for _, n := range said["put"] {
		if found, err := attempts.OfMessage(t.Context(), strconv.Itoa(n), "m"); err != nil || len(found) != 1 {
			t.Fatalf("%d was acknowledged, and there are %d of it: %v", n, len(found), err)
		}
	}
}

func TestReportsOutliveTheProcess(t *testing.T) {
	t.Parallel()
	path := dataFile(t)
	said := killed(t, path, "reports", 1000)
	db := open(t, path)
	attempts, err := writelog.OpenAttempts(t.Context(), path, db.ID(), sqlite.NewAttempts(db), writelog.Options{})
	must(t, err)
	defer attempts.Close()
	for _, n := range said["reported"] {
		found, err := attempts.OfMessage(t.Context(), strconv.Itoa(n), "m")
		if err != nil || len(found) != 1 || found[0].State != attempt.Bounced {
			t.Fatalf("a report of %d was acknowledged, and there is %+v: %v", n, found, err)
		}
	}
}

func TestAQueueOutlivesTheProcess(t *testing.T) {
	t.Parallel()
	path := dataFile(t)
	said := killed(t, path, "queue", 3000)
	db := open(t, path)
	queues, err := writelog.OpenQueues(t.Context(), path, db.ID(), sqlite.NewQueues(db), writelog.Options{})
	must(t, err)
	defer queues.Close()
	e, err := sqsserver.Open(t.Context(), queues, sqsserver.Options{})
	must(t, err)
	defer e.Close()
	there := map[int]bool{}
	for {
		got, err := e.Poller().ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{
			QueueUrl: queueURL, MaxNumberOfMessages: 1000, VisibilityTimeout: 600})
		must(t, err)
		if len(got.Messages) == 0 {
			break
		}
		for _, m := range got.Messages {
			n, err := strconv.Atoi(*m.Body)
			must(t, err)
			if there[n] {
				t.Fatalf("%d is there twice", n)
			}
			there[n] = true
		}
	}
	for _, n := range said["sent"] {
		if !there[n] && !slices.Contains(said["deleting"], n) {
			t.Errorf("%d was sent and is gone", n)
		}
	}
	for _, n := range said["deleted"] {
		if there[n] {
			t.Errorf("%d was deleted and is back", n)
		}
	}
	if len(said["deleted"]) == 0 || len(there) == 0 {
		t.Fatal("nothing was tried")
	}
}
