//go:build !race

package life

// ofFaults: one of so many is tried, so all.
const ofFaults = 1
