// Package produce is what a producer does by hand: efferent send, notify and publish.
package produce
