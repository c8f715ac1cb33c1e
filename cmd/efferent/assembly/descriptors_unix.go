//go:build unix

package assembly

import "syscall"

// descriptors is how many files the process may have open. Go has raised the
// soft limit to the hard one at the start (package syscall).
func descriptors() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return manyDescriptors
	}
	return int(min(uint64(limit.Cur), manyDescriptors))
}
