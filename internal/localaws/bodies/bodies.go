// Package bodies reads the bodies of requests. However many clients send half of
// one and no more, what is in memory of them all has a bound.
package bodies

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/smithy-go"
	"golang.org/x/sync/semaphore"
)

var (
	// ErrTooLarge: the body is longer than it may be.
	ErrTooLarge = errors.New("the request is too long")
	// ErrSlow: the client stopped sending.
	ErrSlow = errors.New("the request's body did not come to its end in time")
	// ErrBusy: too many large requests are being read.
	ErrBusy = errors.New("too many large requests at a time; try again")
)

const (
	// small is what is read of any body without asking for room, in bytes: most
	// are smaller.
	small = 16 << 10
	// inAll is the room for all bodies that are larger, in bytes.
	inAll = 64 << 20
	// idle is how long a client may send nothing, and a body may wait for room.
	idle = 10 * time.Second
	// most is how long a body may take from its first byte to its last.
	most = time.Minute
	// keep is the size up to which memory is used again, in bytes.
	keep = 256 << 10
)

// Room is what one server's bodies have.
type Room struct {
	left   *semaphore.Weighted
	unused sync.Pool
}

// NewRoom returns a Room of 64 MiB.
func NewRoom() *Room { return newRoom(inAll) }

func newRoom(size int64) *Room { return &Room{left: semaphore.NewWeighted(size)} }

// Body is a body that was read. Its Bytes are valid until Release.
type Body struct {
	Bytes []byte
	room  *Room
	taken int64
}

// Read reads a request's body of up to limit bytes, as it comes: a client that
// announces much and sends little has little memory. Errors: ErrTooLarge,
// ErrSlow, ErrBusy, and those of the connection; the connection then ends with
// the answer.
func (o *Room) Read(w http.ResponseWriter, r *http.Request, limit int64) (*Body, error) {
	b := &Body{room: o}
	if unused, ok := o.unused.Get().(*[]byte); ok && (cap(*unused) <= small || o.left.TryAcquire(int64(cap(*unused)))) {
		b.Bytes = *unused
		if cap(b.Bytes) > small {
			b.taken = int64(cap(b.Bytes))
		}
	}
	if err := b.read(w, r, limit); err != nil {
		w.Header().Set("Connection", "close")
		b.Release()
		return nil, err
	}
	return b, nil
}

// Release gives the memory back.
func (b *Body) Release() {
	if n := int64(cap(b.Bytes)); n > 0 && n <= keep {
		unused := b.Bytes[:0]
		b.room.unused.Put(&unused)
	}
	b.Bytes = nil
	b.room.left.Release(b.taken)
	b.taken = 0
}

func (b *Body) read(w http.ResponseWriter, r *http.Request, limit int64) error {
	if r.ContentLength > limit {
		return ErrTooLarge
	}
	// Where there are no deadlines, as in tests without a connection, nobody waits.
	connection, end := http.NewResponseController(w), time.Now().Add(most)
	for {
		if err := b.grow(r, limit); err != nil {
			return err
		}
		_ = connection.SetReadDeadline(earlier(time.Now().Add(idle), end))
		n, err := r.Body.Read(b.Bytes[len(b.Bytes):cap(b.Bytes)])
		b.Bytes = b.Bytes[:len(b.Bytes)+n]
		var late interface{ Timeout() bool }
		switch {
		case int64(len(b.Bytes)) > limit:
			return ErrTooLarge
		case errors.Is(err, io.EOF):
			return nil // and net/http ends the deadline, so that a long poll may take longer
		case errors.As(err, &late) && late.Timeout():
			return ErrSlow
		case err != nil:
			return err
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// grow makes room for another byte at least, and for more as more has come.
func (b *Body) grow(r *http.Request, limit int64) error {
	if len(b.Bytes) < cap(b.Bytes) {
		return nil
	}
	end := limit + 1 // which would be too much
	if r.ContentLength >= 0 {
		end = r.ContentLength + 1 // the end has to be seen
	}
	size := min(max(small, 2*int64(cap(b.Bytes))), end)
	if err := b.take(r.Context(), size); err != nil {
		return err
	}
	grown := make([]byte, len(b.Bytes), size)
	copy(grown, b.Bytes)
	b.Bytes = grown
	return nil
}

// take has as much room in all.
func (b *Body) take(ctx context.Context, size int64) error {
	if size <= max(small, b.taken) {
		return nil
	}
	ctx, stop := context.WithTimeout(ctx, idle)
	defer stop()
	if err := b.room.left.Acquire(ctx, size-b.taken); err != nil {
		return ErrBusy
	}
	b.taken = size
	return nil
}

// Fault is what an AWS service answers where a body could not be read, as long
// as the cause is none of the body's contents; nil otherwise.
func Fault(err error, limit int64) error {
	fault := &smithy.GenericAPIError{Message: err.Error() + ".", Fault: smithy.FaultClient}
	switch {
	case errors.Is(err, ErrTooLarge):
		fault.Code, fault.Message = "RequestEntityTooLarge", fmt.Sprintf("The request is longer than %d bytes.", limit)
	case errors.Is(err, ErrSlow):
		fault.Code = "RequestTimeout"
	case errors.Is(err, ErrBusy):
		fault.Code, fault.Fault = "ServiceUnavailable", smithy.FaultServer
	default:
		return nil
	}
	return fault
}
