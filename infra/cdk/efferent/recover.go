package efferent

import (
	"fmt"
	"runtime"
)

// Recover, when it is deferred, makes an error of what the CDK finds wrong: it
// panics with that. A bug of ours stays a panic.
func Recover(err *error) {
	switch found := recover().(type) {
	case nil:
	case runtime.Error:
		panic(found)
	default:
		*err = fmt.Errorf("the CDK says: %v", found)
	}
}
