package webhook

import "golang.org/x/sys/unix"

// hungUp reports whether a socket's other end has closed it, or its own half of
// it, even where something is left to read (poll(2), POLLRDHUP).
func hungUp(fd uintptr) bool {
	const signs = unix.POLLRDHUP | unix.POLLHUP | unix.POLLERR
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n == 1 && fds[0].Revents&signs != 0
}
