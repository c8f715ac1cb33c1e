package assembly

import "testing"

func TestConnections(t *testing.T) {
	t.Parallel()
	for descriptors, want := range map[int]int{64: 16, 200: 16, 256: 28, 1024: 412, 20_000: 9900, manyDescriptors: 524_188} {
		if got := connectionsWithin(descriptors); got != want {
			t.Errorf("%d connections within %d descriptors, want %d", got, descriptors, want)
		}
	}
	for connections, want := range map[int]int{16: 10, 412: 10, 9900: 99, 524_188: 1000} {
		if got := notifyBatchesWithin(connections); got != want {
			t.Errorf("%d batches of notifications beside %d connections, want %d", got, connections, want)
		}
	}
	if descriptors() < 64 || connections() != connectionsWithin(descriptors()) {
		t.Errorf("%d connections within %d descriptors", connections(), descriptors())
	}
}
