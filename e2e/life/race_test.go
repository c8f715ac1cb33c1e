//go:build race

package life

// ofFaults: one of so many is tried. The race detector is slow, and what it looks
// for is the same in all of them.
const ofFaults = 8
