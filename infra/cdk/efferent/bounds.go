package efferent

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// within holds a prop against the bounds that AWS sets, and against whole seconds,
// which is what it counts in.
func within(prop string, d, least, most time.Duration) error {
	if d < least || d > most || d%time.Second != 0 {
		return fmt.Errorf("prop %s %s: must be whole seconds, from %s to %s", prop, d, least, most)
	}
	return nil
}

func between(prop string, n, least, most int, unit string) error {
	if n < least || n > most {
		return fmt.Errorf("prop %s %d: must be from %d to %d%s", prop, n, least, most, unit)
	}
	return nil
}

// What Lambda takes ("Lambda quotas", "CreateEventSourceMapping").
const (
	leastMemory, mostMemory           = 128, 10240
	mostTimeout                       = 15 * time.Minute
	mostBatch                         = 10_000
	mostWindow                        = 5 * time.Minute
	leastConcurrency, mostConcurrency = 2, 1000
)

func (p FunctionProps) check() error {
	errs := []error{
		within("Timeout", p.Timeout, time.Second, mostTimeout),
		between("Memory", p.Memory, leastMemory, mostMemory, " MiB"),
	}
	if !slices.Contains(retentions, p.LogRetention) {
		errs = append(errs, fmt.Errorf("prop LogRetention %d: CloudWatch Logs takes %d days", p.LogRetention, retentions))
	}
	return errors.Join(errs...)
}

func (p SourceProps) check() error {
	return errors.Join(
		between("BatchSize", p.BatchSize, 1, mostBatch, ""),
		within("Window", p.Window, 0, mostWindow),
		between("MaxConcurrency", p.MaxConcurrency, leastConcurrency, mostConcurrency, ""),
	)
}

// check finds all that AWS would refuse, whatever the parts make of it. What was left
// out is not looked at.
func (p Props) check() error {
	deliver, notify, replay := p.Deliver, p.Notify, p.Replay
	errs := []error{
		checkKey(p.Key),
		checkTags(p.Tags),
		of("VPC", p.VPC.check()),
		of("Queues", p.Queues.check()),
		of("Tables", p.Tables.check()),
		of("Deliver", errors.Join(deliver.FunctionProps.check(), deliver.SourceProps.check())),
		of("Release", p.Release.FunctionProps.check()),
		of("Audit", p.Audit.FunctionProps.check()),
		of("Checkpoint", p.Checkpoint.FunctionProps.check()),
		of("Rotate", p.Rotate.FunctionProps.check()),
	}
	if !p.WithoutNotifications {
		errs = append(errs, of("Notify", errors.Join(notify.FunctionProps.check(), notify.SourceProps.check())))
	}
	if !p.WithoutAPI {
		errs = append(errs, of("Replay", replay.FunctionProps.check()))
	}
	return errors.Join(errs...)
}

// of says whose prop is wrong.
func of(part string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("props of %s: %w", part, err)
}
