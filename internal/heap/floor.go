// Package heap says how much memory the garbage collector may leave alone.
package heap

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// most is the most that the heap may grow by before it is collected, in percent.
const most = 3000

// Floor has a heap of less than so many bytes not collected: one that is small
// otherwise is, whenever it has doubled, which is several times a second under load. A larger one
// is collected as ever. It does nothing where the environment says what is wanted (GOGC
// and GOMEMLIMIT, "runtime package - Environment Variables").
func Floor(bytes uint64) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	f := &floor{bytes: bytes, percent: 100}
	f.watch()
}

// floor is set anew after each collection.
type floor struct {
	bytes   uint64
	percent int
}

// watch has an object that nobody refers to tell of the next collection.
func (f *floor) watch() { runtime.SetFinalizer(new([16]byte), func(*[16]byte) { f.set(); f.watch() }) }

func (f *floor) set() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if p := percent(live[0].Value.Uint64(), f.bytes); p != f.percent {
		f.percent = p
		debug.SetGCPercent(p)
	}
}

// percent is by how much a heap of which so much is live may grow, in steps of ten.
func percent(live, floor uint64) int {
	if live == 0 || 2*live >= floor {
		return 100
	}
	return int(min(most, (floor-live)*100/live/10*10))
}
