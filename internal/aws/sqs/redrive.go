package awssqs

import (
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json"
)

// Redrive is a redrive policy: where SQS moves a message that was received so
// often ("SetQueueAttributes" in the API reference).
type Redrive struct {
	Target   string
	Receives int
}

// String is the policy as SQS takes it.
func (r Redrive) String() string {
	return fmt.Sprintf(`{"deadLetterTargetArn":%q,"maxReceiveCount":%d}`, r.Target, r.Receives)
}

// ParseRedrive reads what an endpoint gives back. The count is a number, in
// quotes or not.
func ParseRedrive(text string) (Redrive, error) {
	var p struct {
		Target   string `json:"deadLetterTargetArn"`
		Receives any    `json:"maxReceiveCount"`
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return Redrive{}, fmt.Errorf("redrive policy %q: %w", text, err)
	}
	n, err := strconv.Atoi(fmt.Sprint(p.Receives))
	if err != nil || p.Target == "" {
		return Redrive{}, fmt.Errorf("redrive policy %q: it lacks deadLetterTargetArn, or maxReceiveCount as a number", text)
	}
	return Redrive{p.Target, n}, nil
}
