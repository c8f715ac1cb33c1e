package webhook

import (
	"io"
	"net/http"
	"sync"
	"unicode/utf8"

	"github.com/efferent/efferent/internal/attempt"
	"github.com/efferent/efferent/internal/message"
)

// bodyLimit is how much of an answer's body is read, so that its connection
// can be used again. Past it, closing the connection is cheaper.
const bodyLimit = 64 << 10

var buffers = sync.Pool{New: func() any { return new([attempt.MaxResponse]byte) }}

// drain reads a body that nobody keeps. It reports whether it was cut: it was
// longer than bodyLimit, broke off, or did not end in time.
func drain(body io.Reader) (cut bool) {
	if body == http.NoBody {
		return false
	}
	buf := buffers.Get().(*[attempt.MaxResponse]byte)
	defer buffers.Put(buf)
	return discard(body, buf[:], bodyLimit)
}

// readResponse keeps the beginning of a body, at most limit bytes of the
// attempt.MaxResponse that can be, and drains the rest. It reports whether there
// was more than it kept.
func readResponse(body io.Reader, limit int) (kept string, more bool) {
	buf := buffers.Get().(*[attempt.MaxResponse]byte)
	defer buffers.Put(buf)
	n, err := fill(body, buf[:limit])
	kept = keep(buf[:n], limit)
	if err != nil {
		return kept, err != io.EOF
	}
	if n, err = fill(body, buf[:1]); n == 0 && err == io.EOF {
		return kept, false
	}
	discard(body, buf[:], bodyLimit-limit)
	return kept, true
}

// fill reads until buf is full or the body ends. It is io.ReadFull without its
// io.ErrUnexpectedEOF, which here means that the connection broke.
func fill(body io.Reader, buf []byte) (n int, err error) {
	for n < len(buf) && err == nil {
		var m int
		m, err = body.Read(buf[n:])
		n += m
	}
	return n, err
}

// discard reads at most limit bytes, and one more to see whether the body ends
// there. It reports whether it had not.
func discard(body io.Reader, buf []byte, limit int) (cut bool) {
	for limit >= 0 {
		n, err := body.Read(buf[:min(len(buf), limit+1)])
		if limit -= n; err != nil {
			return err != io.EOF || limit < 0
		}
	}
	return true
}

// keep makes b, the first bytes of a body, valid UTF-8 of at most limit bytes.
func keep(b []byte, limit int) string {
	if len(b) == limit {
		b = withoutPartialRune(b)
	}
	return message.Shorten(string(b), limit)
}

// withoutPartialRune drops a character that the end of b cuts in two.
func withoutPartialRune(b []byte) []byte {
	for i := len(b) - 1; i >= max(0, len(b)-utf8.UTFMax); i-- {
		if utf8.RuneStart(b[i]) {
			if !utf8.FullRune(b[i:]) {
				return b[:i]
			}
			break
		}
	}
	return b
}
