package sqsserver

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// The statuses of a message move task ("ListMessageMoveTasks").
const (
	taskRunning    = "RUNNING"
	taskCompleted  = "COMPLETED"
	taskCancelling = "CANCELLING"
	taskCancelled  = "CANCELLED"
	taskFailed     = "FAILED"
)

// task is one message move task.
type task struct {
	cancelled chan struct{} // closed to cancel it

	mu sync.Mutex
	r  TaskRecord
}

func newTask(r TaskRecord) *task {
	t := &task{r: r, cancelled: make(chan struct{})}
	if r.Status == taskCancelling {
		close(t.cancelled)
	}
	return t
}

func (t *task) record() TaskRecord {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.r
}

func (t *task) active() bool {
	s := t.record().Status
	return s == taskRunning || s == taskCancelling
}

// StartMessageMoveTask moves the messages of a dead-letter queue to one queue,
// or each back to where it came from. A message that is moved gets a new id
// and starts with no receives ("Learn how to configure a dead-letter queue
// redrive in Amazon SQS").
func (e *Engine) StartMessageMoveTask(ctx context.Context, in *sqs.StartMessageMoveTaskInput, _ ...func(*sqs.Options)) (
	*sqs.StartMessageMoveTaskOutput, error) {
	if err := e.running(); err != nil {
		return nil, err
	}
	e.admin.Lock()
	defer e.admin.Unlock()
	source, err := e.checkMove(in)
	if err != nil {
		return nil, err
	}
	visible := source.visible(e.now())
	handle := taskHandle{formatID(newID()), source.arn}.String()
	t := newTask(TaskRecord{
		Handle: handle,
		Source: source.arn, Destination: aws.ToString(in.DestinationArn), Rate: aws.ToInt32(in.MaxNumberOfMessagesPerSecond),
		ToMove: int64(visible), Status: taskRunning, Started: e.now(),
	})
	if err := e.apply(ctx, &Changes{PutTasks: []TaskRecord{t.r}}); err != nil {
		return nil, internalFailure("The task was not started", err)
	}
	e.mu.Lock()
	e.tasks = append(e.tasks, t)
	e.mu.Unlock()
	e.runTask(t)
	return &sqs.StartMessageMoveTaskOutput{TaskHandle: &handle}, nil
}

// taskHandle is what a handle says of its task, as AWS's do.
type taskHandle struct {
	ID     string `json:"taskId"`
	Source string `json:"sourceArn"`
}

func (h taskHandle) String() string {
	b, _ := json.Marshal(h) // two texts
	return base64.StdEncoding.EncodeToString(b)
}

func parseTaskHandle(handle string) (h taskHandle, ok bool) {
	b, err := base64.StdEncoding.DecodeString(handle)
	return h, err == nil && json.Unmarshal(b, &h) == nil && h.ID != "" && h.Source != ""
}

// checkMove says what is wrong with a move, and gives its source.
func (e *Engine) checkMove(in *sqs.StartMessageMoveTaskInput) (*queue, error) {
	if aws.ToString(in.SourceArn) == "" {
		return nil, missingParameter("SourceArn")
	}
	source := e.byARN(*in.SourceArn)
	if source == nil {
		return nil, noSuchSource()
	}
	if !e.isDeadLetterQueue(source) {
		return nil, invalidParameter("Source queue must be configured as a Dead Letter Queue.")
	}
	if arn := aws.ToString(in.DestinationArn); arn != "" {
		switch destination := e.byARN(arn); {
		case destination == nil:
			return nil, resourceNotFound("The resource that you specified for the DestinationArn parameter doesn't exist.")
		case destination == source:
			return nil, invalidParameter("Source queue arn and destination queue arn cannot be the same.")
		case destination.fifo != source.fifo:
			return nil, invalidParameter("Source queue and destination queue must be of the same type.")
		}
	}
	if rate := in.MaxNumberOfMessagesPerSecond; rate != nil && (*rate < 1 || *rate > 500) {
		return nil, invalidValue("MaxNumberOfMessagesPerSecond", *rate, "Must be between 1 and 500, if provided.")
	}
	for _, t := range e.tasksOf(source.arn) {
		if t.active() {
			return nil, invalidParameter("There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
		}
	}
	return source, nil
}

func (e *Engine) isDeadLetterQueue(dlq *queue) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, q := range e.queues {
		if dlq.hasSource(q) {
			return true
		}
	}
	return false
}

// tasksOf are a source's tasks, newest first.
func (e *Engine) tasksOf(source string) (list []*task) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for i := len(e.tasks) - 1; i >= 0; i-- {
		if e.tasks[i].r.Source == source {
			list = append(list, e.tasks[i])
		}
	}
	return list
}

// ListMessageMoveTasks gives the newest tasks of a source: one, or MaxResults
// up to 10.
func (e *Engine) ListMessageMoveTasks(_ context.Context, in *sqs.ListMessageMoveTasksInput, _ ...func(*sqs.Options)) (
	*sqs.ListMessageMoveTasksOutput, error) {
	if aws.ToString(in.SourceArn) == "" {
		return nil, missingParameter("SourceArn")
	}
	if e.byARN(*in.SourceArn) == nil {
		return nil, noSuchSource()
	}
	most := 1
	if n := in.MaxResults; n != nil {
		if *n < 1 || *n > 10 {
			return nil, invalidValue("MaxResults", *n, "Must be between 1 and 10, if provided.")
		}
		most = int(*n)
	}
	out := &sqs.ListMessageMoveTasksOutput{}
	for _, t := range e.tasksOf(*in.SourceArn) {
		if len(out.Results) < most {
			out.Results = append(out.Results, t.entry())
		}
	}
	return out, nil
}

func (t *task) entry() types.ListMessageMoveTasksResultEntry {
	r := t.record()
	entry := types.ListMessageMoveTasksResultEntry{
		SourceArn: &r.Source, Status: &r.Status, StartedTimestamp: r.Started,
		ApproximateNumberOfMessagesMoved: r.Moved, ApproximateNumberOfMessagesToMove: &r.ToMove,
	}
	if r.Status == taskRunning {
		entry.TaskHandle = &r.Handle
	}
	if r.Destination != "" {
		entry.DestinationArn = &r.Destination
	}
	if r.Rate > 0 {
		entry.MaxNumberOfMessagesPerSecond = &r.Rate
	}
	if r.Failure != "" {
		entry.FailureReason = &r.Failure
	}
	return entry
}

// CancelMessageMoveTask stops a task. What was moved stays moved.
func (e *Engine) CancelMessageMoveTask(ctx context.Context, in *sqs.CancelMessageMoveTaskInput, _ ...func(*sqs.Options)) (
	*sqs.CancelMessageMoveTaskOutput, error) {
	if aws.ToString(in.TaskHandle) == "" {
		return nil, missingParameter("TaskHandle")
	}
	h, ok := parseTaskHandle(*in.TaskHandle)
	if !ok {
		return nil, invalidParameter("Value for parameter TaskHandle is invalid.")
	}
	if e.byARN(h.Source) == nil {
		return nil, noSuchSource()
	}
	t := e.taskOf(*in.TaskHandle)
	if t == nil {
		return nil, resourceNotFound("Task does not exist.")
	}
	t.mu.Lock()
	if t.r.Status != taskRunning {
		t.mu.Unlock()
		return nil, unsupported("Only active tasks can be cancelled.")
	}
	t.r.Status = taskCancelling
	r := t.r
	close(t.cancelled)
	t.mu.Unlock()
	return &sqs.CancelMessageMoveTaskOutput{ApproximateNumberOfMessagesMoved: r.Moved}, nil
}

func (e *Engine) taskOf(handle string) *task {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, t := range e.tasks {
		if t.r.Handle == handle {
			return t
		}
	}
	return nil
}
