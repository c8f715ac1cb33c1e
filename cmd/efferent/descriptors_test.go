package main

import "testing"

func TestConnections(t *testing.T) {
	t.Parallel()
	for descriptors, want := range map[int]int{64: 16, 200: 16, 256: 28, 1024: 412, 20_000: 9900, manyDescriptors: 524_188} {
		if got := connectionsWithin(descriptors); got != want {
			t.Errorf("%d connections within %d descriptors, want %d", got, descriptors, want)
		}
	}
	if descriptors() < 64 || connections() != connectionsWithin(descriptors()) {
		t.Errorf("%d connections within %d descriptors", connections(), descriptors())
	}
}
